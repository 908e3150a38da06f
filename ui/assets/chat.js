"use strict";
// The transcript. The server sends an answer as it grows, as {turn, phase, body, sources, copy,
// message, model, conversation, kept} (ui/chat_ask.py); body and sources are HTML that
// ui/render*.py have escaped. What the page shows lives in its DOM; what is kept, on the server.
// The scripts beside this one (chat-head, chat-stream, chat-turns, chat-kept, chat-preview,
// chat-page) add their parts to window.yiwen and call each other only after mount.
(() => {
  const yiwen = (window.yiwen = window.yiwen || {});

  let root = null;
  let words = {};
  let current = null; // the article of the turn in progress
  let pending = {}; // how the question in the box is to be asked: {replaces, verbatim}
  const clipboard = new WeakMap(); // article → text for the clipboard
  const asked = new WeakMap(); // article → {wanted, before, old, stream}: how it was asked

  yiwen.conversation = ""; // the id of the one shown

  const find = (selector, base = root) => base.querySelector(selector);
  const box = () => document.querySelector("#yiwen-question textarea");
  const isOpen = (turn) => ["queued", "waiting", "streaming"].includes(turn.dataset.phase);
  const inProgress = () => current !== null && isOpen(current);

  yiwen.mount = (element) => {
    root = yiwen.root = element;
    words = yiwen.words;
    yiwen.speak();
    root.addEventListener("click", onClick);
    find(".new").addEventListener("click", () => clear());
    const composer = document.querySelector("#yiwen-composer");
    composer.addEventListener("click", (event) => {
      if (event.target.closest(".unedit")) {
        yiwen.prepare({});
        fill("");
      }
    });
    // The Enter that ends the writing of a character sends nothing.
    for (const kind of ["keydown", "keypress"]) {
      const hold = (event) => {
        if (event.isComposing || event.keyCode === 229) event.stopPropagation();
      };
      composer.addEventListener(kind, hold, true);
    }
    new ResizeObserver(() => {
      document.body.style.setProperty("--composer", `${composer.offsetHeight}px`);
    }).observe(composer);
    yiwen.mountPreview();
    yiwen.mountKept();
  };

  // Ask what stands in the box.
  yiwen.send = () => {
    const question = box().value;
    refuse("");
    if (inProgress()) return;
    if (!question.trim()) {
      refuse(words.emptyQuestion);
      return;
    }
    const wanted = pending;
    const conversation = yiwen.conversation;
    const turn = begin(question, wanted);
    fill("");
    asked.get(turn).stream = yiwen.stream(
      "/chat/ask",
      { question, conversation, ...wanted, collections: yiwen.chosen() },
      {
        receive: (value) => receive(turn, value),
        failed: (line) => interrupt(turn, line),
      },
    );
  };

  // How the next question is asked: {replaces} takes the place of a kept turn.
  yiwen.prepare = (wanted) => {
    pending = wanted;
    const line = document.querySelector("#yiwen-composer .editing");
    if (line) line.hidden = !wanted.replaces;
  };

  // Ask at once, in the place of a turn or after the last one.
  yiwen.askNow = (question, wanted = {}) => {
    if (inProgress()) return;
    yiwen.prepare(wanted);
    fill(question);
    yiwen.send();
  };

  // The stream is over and the answer is not.
  function interrupt(turn, line) {
    if (!isOpen(turn)) return;
    const message = line || words.interruptedLine;
    morph(find(".card", turn), words.interrupted);
    find(".note-error", turn).textContent = message;
    finish(turn, "failed");
    say(message);
    giveBack(turn);
  }

  yiwen.stop = () => {
    if (!inProgress()) return;
    const turn = current;
    asked.get(turn).stream.abort();
    const card = find(".card", turn);
    const text = find(".answer-text", card);
    const note = document.createElement("p");
    note.className = "note note-stopped";
    note.textContent = text && text.textContent ? words.stopped : words.stoppedEmpty;
    const chip = find(".chip-busy", card);
    if (chip) chip.outerHTML = words.stoppedChip;
    const unchecked = find(".unchecked", card);
    if (unchecked) unchecked.remove();
    card.append(note);
    finish(turn, "stopped");
    if (text && text.textContent) yiwen.settle(turn);
    else giveBack(turn);
    say(note.textContent);
    if (box()) box().focus();
  };

  function receive(turn, value) {
    if (!isOpen(turn)) return; // stopped: late updates are dropped
    if (value.model) yiwen.answering(value.model);
    if (value.phase === "refused") {
      const question = find(".question", turn).textContent;
      drop(turn);
      fill(question);
      refuse(value.message);
      return;
    }
    if (value.conversation) yiwen.show(value.conversation);
    const follow = below(turn) < 120;
    turn.dataset.turn = value.turn;
    turn.dataset.phase = value.phase;
    morph(find(".card", turn), value.body);
    morph(find(".sources", turn), value.sources);
    turn.classList.toggle("has-sources", find(".source", turn) !== null);
    if (value.phase === "finished") {
      clipboard.set(turn, value.copy);
      turn.dataset.kept = value.kept;
      finish(turn, "finished");
      yiwen.complete(turn);
    } else if (value.phase === "failed") {
      finish(turn, "failed");
      giveBack(turn);
    }
    if (value.phase !== "streaming") say(value.message || words.waiting);
    if (follow) reveal(turn);
  }

  function article(question) {
    const turn = document.createElement("article");
    turn.className = "turn";
    turn.innerHTML =
      '<h2 class="question"></h2><div class="card"></div><div class="after"></div>' +
      '<aside class="sources"></aside>';
    find(".question", turn).textContent = question;
    find(".sources", turn).setAttribute(
      "aria-label",
      words.sourcesOf.replace("{question}", () => question),
    );
    find(".log").append(turn);
    document.body.classList.add("yiwen-talking");
    find(".new").hidden = false;
    return turn;
  }

  function begin(question, wanted) {
    for (const other of root.querySelectorAll(".turn[hidden]")) other.hidden = false;
    for (const other of root.querySelectorAll(".turn[data-again]")) other.remove();
    const old = wanted.replaces ? find(`.turn[data-kept="${wanted.replaces}"]`) : null;
    if (old) old.hidden = true;
    const turn = article(question.trim());
    turn.dataset.phase = "queued";
    asked.set(turn, { wanted, before: yiwen.conversation, old, stream: null });
    find(".card", turn).setAttribute("aria-busy", "true");
    morph(find(".card", turn), words.queued);
    current = turn;
    activate(turn);
    document.body.classList.add("yiwen-busy");
    yiwen.prepare({});
    reveal(turn);
    return turn;
  }

  // A kept turn of a conversation that is opened again.
  yiwen.restore = (entry) => {
    const turn = article(entry.question);
    turn.dataset.turn = entry.turn;
    turn.dataset.kept = entry.kept;
    turn.dataset.phase = entry.phase;
    turn.dataset.rating = entry.rating;
    morph(find(".card", turn), entry.body);
    morph(find(".sources", turn), entry.sources);
    turn.classList.toggle("has-sources", find(".source", turn) !== null);
    clipboard.set(turn, entry.copy);
    activate(turn);
    yiwen.addActions(turn);
    return turn;
  };

  function finish(turn, phase) {
    turn.dataset.phase = phase;
    find(".card", turn).removeAttribute("aria-busy");
    document.body.classList.remove("yiwen-busy");
    if (phase === "failed") return;
    const { old } = asked.get(turn);
    if (old) old.remove();
    yiwen.addActions(turn);
  }

  function drop(turn) {
    const { old, wanted } = asked.get(turn);
    if (old) old.hidden = false;
    yiwen.prepare(wanted);
    turn.remove();
    current = null;
    document.body.classList.remove("yiwen-busy");
    if (!find(".turn")) clear();
  }

  function clear(isOpening = false) {
    yiwen.stop();
    find(".log").replaceChildren();
    current = null;
    document.body.classList.remove("yiwen-busy", "yiwen-talking");
    find(".new").hidden = true;
    yiwen.prepare({});
    refuse("");
    if (isOpening) return;
    yiwen.show("");
    if (box()) box().focus();
  }

  function activate(turn) {
    for (const other of root.querySelectorAll(".turn.active")) other.classList.remove("active");
    turn.classList.add("active");
  }

  function onClick(event) {
    const target = event.target.closest("a, button, .turn");
    if (target === null) return;
    const turn = target.closest(".turn");
    if (turn !== null) activate(turn);
    if (target.matches("a.mark, a.back")) {
      event.preventDefault();
      jump(target, document.getElementById(target.getAttribute("href").slice(1)));
    } else if (target.matches(".copy")) {
      copy(target, clipboard.get(turn) || "");
    } else if (target.matches(".open-page")) {
      yiwen.openPage(target);
    } else if (target.matches(".example")) {
      yiwen.askNow(target.textContent);
    } else if (turn !== null) {
      yiwen.act(target, turn);
    }
  }

  function jump(from, to) {
    if (to === null) return;
    for (const old of root.querySelectorAll(".target")) old.classList.remove("target");
    to.classList.add("target");
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    to.focus({ preventScroll: true });
    to.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "center" });
  }

  async function copy(button, text) {
    const done = await write(text);
    button.textContent = done ? words.copied : words.copyFailed;
    say(button.textContent);
    window.setTimeout(() => {
      button.textContent = words.copy;
    }, 2000);
  }

  // A page over plain http on another machine's address has no navigator.clipboard.
  async function write(text) {
    if (navigator.clipboard) {
      try {
        await navigator.clipboard.writeText(text);
        return true;
      } catch {
        // not permitted: the older way below
      }
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }

  // A question that was not answered goes back, unless another is being written; it can be asked
  // again the way it was.
  function giveBack(turn) {
    const { wanted, before } = asked.get(turn);
    yiwen.show(before);
    if (wanted.replaces) turn.dataset.again = "";
    yiwen.addRetry(turn, () => {
      turn.remove();
      yiwen.askNow(find(".question", turn).textContent, wanted);
    });
    if (!box() || box().value) return;
    fill(find(".question", turn).textContent);
    yiwen.prepare(wanted);
  }

  function fill(text) {
    const area = box();
    const setter = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set;
    setter.call(area, text);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  }

  function refuse(message) {
    const line = document.querySelector("#yiwen-composer .refusal");
    if (line === null) return;
    line.textContent = message;
    line.hidden = !message;
    if (message && box()) box().focus();
  }

  function say(message) {
    find(".status").textContent = message;
  }

  Object.assign(yiwen, { find, box, fill, say, refuse, clear, inProgress });
  yiwen.reveal = (turn) => reveal(turn);

  // How far the end of a turn's answer lies below what can be seen above the question box.
  function below(turn) {
    const composer = document.querySelector("#yiwen-composer").offsetHeight;
    const end = find(".after", turn).getBoundingClientRect().bottom;
    return end - (window.innerHeight - composer - 12);
  }

  // Bring the answer's end into view, but never push its question out of it.
  function reveal(turn) {
    const room = find(".question", turn).getBoundingClientRect().top - find(".top").offsetHeight - 20;
    const distance = Math.min(below(turn), room);
    if (distance > 0) window.scrollBy({ top: distance });
  }

  // Change only what differs, so that a selection, an open <details> and the focus survive.
  function morph(element, html) {
    const wanted = document.createElement("template");
    wanted.innerHTML = html;
    children(element, wanted.content);
  }

  function children(old, wanted) {
    const before = [...old.childNodes];
    const after = [...wanted.childNodes];
    after.forEach((node, index) => {
      if (index >= before.length) old.append(node);
      else update(before[index], node);
    });
    before.slice(after.length).forEach((node) => node.remove());
  }

  function update(old, wanted) {
    if (old.nodeType !== wanted.nodeType || old.nodeName !== wanted.nodeName) {
      old.replaceWith(wanted);
      return;
    }
    if (old.nodeType === Node.TEXT_NODE) {
      if (old.data !== wanted.data) old.data = wanted.data;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!wanted.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    }
    for (const { name, value } of wanted.attributes) {
      if (name === "class") {
        const kept = old.classList.contains("target") ? `${value} target` : value;
        if (old.className !== kept) old.className = kept;
      } else if (old.getAttribute(name) !== value) {
        old.setAttribute(name, value);
      }
    }
    children(old, wanted);
  }
})();
