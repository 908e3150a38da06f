"use strict";
// The page's language, and what its head says. /chat/words.js (ui/chat_parts.py) has brought the
// language, the words and, for a language other than Chinese, the page's fixed parts.
(() => {
  const yiwen = (window.yiwen = window.yiwen || {});

  // Put the page into its language; the framework has built it in Chinese, and loads some of it
  // later than the rest.
  yiwen.speak = () => {
    const { words } = yiwen;
    document.documentElement.lang = yiwen.language;
    if (!yiwen.fixed) return;
    document.title = words.title;
    for (const [id, html] of Object.entries(yiwen.fixed)) {
      arrived(`#${id} [data-part]`, (part) => {
        part.parentElement.innerHTML = html;
      });
    }
    arrived("#yiwen-question textarea", (area) => {
      area.placeholder = words.placeholder;
      document.querySelector("#yiwen-question [data-testid=block-info]").textContent = words.question;
    });
    for (const name of ["send", "stop"]) {
      arrived(`#yiwen-${name}`, (button) => {
        button.textContent = words[name];
      });
    }
  };

  // Who answers, in the page's head.
  yiwen.answering = (model) => {
    yiwen.find("[data-model]").textContent = model;
  };

  // Who asks, and which weights the model has ("" when unknown).
  yiwen.introduce = (person, digest) => {
    const whom = yiwen.find("[data-person]");
    whom.textContent = person;
    whom.title = yiwen.words.signedIn.replace("{name}", () => person);
    whom.hidden = false;
    const weights = yiwen.find("[data-digest]");
    weights.textContent = digest.replace(/^sha256:/, "").slice(0, 12);
    weights.title = yiwen.words.digest.replace("{digest}", () => digest);
    weights.hidden = !digest;
  };

  // Act on the first element of a selector, at once or when it comes.
  function arrived(selector, act) {
    const watch = () => {
      const element = document.querySelector(selector);
      if (element) act(element);
      return Boolean(element);
    };
    if (watch()) return;
    new MutationObserver((_, observer) => {
      if (watch()) observer.disconnect();
    }).observe(document.body, { childList: true, subtree: true });
  }
})();
