"use strict";
// A question's answer as it comes: server-sent events of a POST, read with fetch.
(() => {
  const yiwen = (window.yiwen = window.yiwen || {});

  // Give every event's object to `receive`; when the stream is over, or cannot be had, call
  // `failed` with a line that can be shown ("" for a connection that broke). Gives an
  // AbortController: aborted, nothing is called any more.
  yiwen.stream = (path, body, { receive, failed }) => {
    const aborter = new AbortController();
    const read = async () => {
      const response = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
        body: JSON.stringify(body),
        signal: aborter.signal,
      });
      if (!response.ok) return yiwen.problem(response);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return "";
        text += value;
        const events = text.split("\n\n");
        text = events.pop();
        for (const event of events) {
          if (event.startsWith("data: ")) receive(JSON.parse(event.slice(6)));
        }
      }
    };
    read().then(
      (line) => {
        if (!aborter.signal.aborted) failed(line);
      },
      (error) => {
        if (aborter.signal.aborted) return;
        failed("");
        if (!(error instanceof TypeError)) throw error; // TypeError: the connection broke
      },
    );
    return aborter;
  };
})();
