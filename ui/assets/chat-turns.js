"use strict";
// What can be done with an answer: rate it, ask again, change the question, go on from it.
(() => {
  const yiwen = (window.yiwen = window.yiwen || {});

  // A request to our own routes; gives the response, throws an Error whose message can be shown.
  yiwen.call = async (path, body) => {
    const post = {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    };
    let response;
    try {
      response = await fetch(path, body === undefined ? {} : post);
    } catch {
      throw new Error(yiwen.words.failed);
    }
    if (response.ok) return response;
    throw new Error((await yiwen.problem(response)) || yiwen.words.failed);
  };

  // What a refused request's response says, as one line; "" when it says nothing we know.
  yiwen.problem = async (response) => {
    const told = await response.json().catch(() => null);
    const parts = told && told.error ? [told.error.message, told.error.remedy] : [];
    return parts.filter(Boolean).join("。");
  };

  yiwen.button = (name, text, label = "") => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = name;
    button.textContent = text;
    if (label) button.setAttribute("aria-label", label);
    return button;
  };

  yiwen.element = (tag, name, text = "") => {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = text;
    return element;
  };

  yiwen.addActions = (turn) => {
    const words = yiwen.words;
    const bar = yiwen.element("div", "actions");
    if (turn.dataset.kept && turn.dataset.phase === "finished") {
      const rating = yiwen.element("div", "rating");
      rating.setAttribute("role", "group");
      rating.setAttribute("aria-label", words.rating);
      rating.append(yiwen.button("rate rate-up", words.good));
      rating.append(yiwen.button("rate rate-down", words.bad));
      bar.append(rating);
    }
    bar.append(yiwen.button("again only-last", words.again));
    bar.append(yiwen.button("edit only-last", words.edit));
    yiwen.find(".after", turn).replaceChildren(bar);
    showRating(turn);
  };

  yiwen.addRetry = (turn, again) => {
    const button = yiwen.button("retry", yiwen.words.retry);
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      again();
    });
    const bar = yiwen.element("div", "actions");
    bar.append(button);
    yiwen.find(".after", turn).replaceChildren(bar);
  };

  // A click on one of the buttons above, or on the card's 「按原话查找」.
  yiwen.act = (target, turn) => {
    const question = yiwen.find(".question", turn).textContent;
    const replaces = turn.dataset.kept || "";
    if (target.matches(".again")) yiwen.askNow(question, { replaces });
    else if (target.matches(".verbatim")) yiwen.askNow(question, { replaces, verbatim: true });
    else if (target.matches(".next-question")) yiwen.askNow(target.textContent);
    else if (target.matches(".edit")) {
      yiwen.prepare({ replaces });
      yiwen.fill(question);
    } else if (target.matches(".rate-up")) {
      rate(turn, turn.dataset.rating === "up" ? null : "up");
    } else if (target.matches(".rate-down")) {
      if (turn.dataset.rating === "down") rate(turn, null);
      else askWhy(turn);
    }
  };

  // After a live answer: the list is brought up to date, and what can be asked next is looked up.
  yiwen.complete = async (turn) => {
    yiwen.refresh();
    if (!turn.dataset.kept) return;
    let questions = [];
    try {
      const path = `/chat/turns/${turn.dataset.kept}/follow-ups`;
      ({ questions } = await (await yiwen.call(path)).json());
    } catch {
      return; // a courtesy
    }
    if (!questions.length || !turn.isConnected || turn.nextElementSibling) return;
    const next = yiwen.element("div", "next only-last");
    next.append(yiwen.element("h3", "next-title", yiwen.words.next));
    for (const question of questions) next.append(yiwen.button("next-question", question));
    yiwen.find(".after", turn).append(next);
    yiwen.reveal(turn);
  };

  // A stopped answer is kept a moment after it was stopped: learn its id, so that it can be
  // changed or asked again.
  yiwen.settle = async (turn) => {
    const conversation = yiwen.conversation;
    for (let attempt = 0; attempt < 6 && conversation; attempt += 1) {
      await new Promise((done) => window.setTimeout(done, 500));
      if (!turn.isConnected) return;
      try {
        const { entries } = await (await yiwen.call(`/chat/conversations/${conversation}`)).json();
        const last = entries[entries.length - 1];
        if (last && last.phase === "stopped" && !yiwen.find(`.turn[data-kept="${last.kept}"]`)) {
          turn.dataset.kept = last.kept;
          yiwen.refresh();
          return;
        }
      } catch {
        // not there yet
      }
    }
  };

  function showRating(turn) {
    for (const [name, value] of [[".rate-up", "up"], [".rate-down", "down"]]) {
      const button = yiwen.find(name, turn);
      if (button) button.setAttribute("aria-pressed", String(turn.dataset.rating === value));
    }
  }

  function askWhy(turn) {
    const words = yiwen.words;
    if (close(turn)) return;
    const panel = yiwen.element("fieldset", "why");
    panel.append(yiwen.element("legend", "", words.why));
    const name = `reason-${turn.dataset.kept}`;
    for (const [value, text] of Object.entries(words.reasons)) {
      const label = yiwen.element("label", "reason");
      const choice = document.createElement("input");
      choice.type = "radio";
      choice.name = name;
      choice.value = value;
      label.append(choice, text);
      panel.append(label);
    }
    const comment = yiwen.element("textarea", "comment");
    comment.rows = 2;
    comment.maxLength = 2000;
    comment.placeholder = words.comment;
    comment.setAttribute("aria-label", words.comment);
    const submit = yiwen.button("submit", words.submit);
    submit.disabled = true;
    panel.addEventListener("change", () => {
      submit.disabled = !panel.querySelector("input:checked");
    });
    submit.addEventListener("click", (event) => {
      event.stopPropagation();
      const reason = panel.querySelector("input:checked").value;
      rate(turn, "down", { reason, comment: comment.value });
    });
    const cancel = yiwen.button("cancel", words.cancel);
    cancel.addEventListener("click", () => close(turn));
    panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) close(turn);
    });
    panel.append(comment, submit, cancel);
    yiwen.find(".actions", turn).after(panel);
    panel.querySelector("input").focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  }

  // Close the form; where the focus was in it, its button gets it. False where none is open.
  function close(turn) {
    const panel = yiwen.find(".why", turn);
    if (!panel) return false;
    if (panel.contains(document.activeElement)) yiwen.find(".rate-down", turn).focus();
    panel.remove();
    return true;
  }

  async function rate(turn, rating, details = {}) {
    const words = yiwen.words;
    let line = rating ? words.thanks : words.withdrawn;
    try {
      const path = `/chat/turns/${turn.dataset.kept}/rate`;
      const told = await (await yiwen.call(path, { rating, ...details })).json();
      turn.dataset.rating = told.rating;
      close(turn);
    } catch (error) {
      line = error.message;
    }
    showRating(turn);
    const old = yiwen.find(".thanks", turn);
    if (old) old.remove();
    yiwen.find(".actions", turn).after(yiwen.element("p", "thanks", line));
    yiwen.say(line);
  }
})();
