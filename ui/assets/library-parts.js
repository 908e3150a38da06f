// Small parts of the library's page: its words, elements, requests. Text only ever becomes text.
"use strict";

window.library = (() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const paint = () => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", paint);
  paint();

  const page = () => document.querySelector("main.library-page");
  let words = null;

  /** A string of the page, its {placeholders} filled in. */
  const say = (name, values = {}) => {
    words ??= JSON.parse(page().dataset.words);
    return words[name].replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
  };

  /** An element; `properties` are set on it, `children` are nodes or text. */
  const make = (tag, properties = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name.startsWith("aria-") || name === "for") element.setAttribute(name, value);
      else element[name] = value;
    }
    element.append(...children);
    return element;
  };

  const button = (text, label, act) => {
    const element = make("button", { type: "button" }, text);
    if (label && label !== text) element.setAttribute("aria-label", label);
    element.addEventListener("click", act);
    return element;
  };

  const size = (bytes) =>
    bytes >= 1024 * 1024
      ? say("megabytes", { size: (bytes / 1024 / 1024).toFixed(1).replace(/\.0$/, "") })
      : say("kilobytes", { size: Math.max(1, Math.round(bytes / 1024)) });

  /** What an error's body says, in one line. */
  const reason = (body) => {
    const error = body && body.error;
    if (!error || typeof error.message !== "string") return say("unknown");
    return error.remedy ? `${error.message}。${error.remedy}` : error.message;
  };

  /** A JSON answer; throws an Error that carries the line to show. */
  const ask = async (path, body) => {
    let response;
    try {
      response = await fetch(path, body === undefined ? {} : {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
    } catch {
      throw new Error(say("unknown"));
    }
    const answer = await response.json().catch(() => null);
    if (!response.ok || answer === null) throw new Error(reason(answer));
    return answer;
  };

  /** Send a form; `progress` gets a share from 0 to 1. Resolves to the body, whatever the status. */
  const send = (path, form, progress) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", path);
      request.responseType = "json";
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) progress(event.loaded / event.total);
      });
      request.addEventListener("load", () => resolve(request.response));
      request.addEventListener("error", () => reject(new Error(say("offline"))));
      request.send(form);
    });

  /** Tell a screen reader. */
  const tell = (text) => {
    document.querySelector(".hidden-status").textContent = text;
  };

  return { page, say, make, button, size, reason, ask, send, tell };
})();
