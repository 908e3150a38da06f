"use strict";
// What stands behind a [n] or a verdict, in a small box: on hovering, on focus, on the first tap.
(() => {
  const yiwen = (window.yiwen = window.yiwen || {});
  const WAIT = 180;
  let box = null;
  let shown = null; // the mark or sign whose box is open
  let timer = 0;

  yiwen.mountPreview = () => {
    box = document.createElement("div");
    box.className = "preview";
    box.id = "yiwen-preview";
    box.setAttribute("role", "tooltip");
    box.hidden = true;
    yiwen.root.append(box);
    const root = yiwen.root;
    root.addEventListener("pointerover", (event) => {
      const target = event.target.closest("a.mark, .verdict, .preview");
      window.clearTimeout(timer);
      if (target === null) timer = window.setTimeout(hide, WAIT);
      else if (event.pointerType === "mouse" && target !== box && target !== shown) {
        timer = window.setTimeout(() => show(target), WAIT);
      }
    });
    root.addEventListener("focusin", (event) => {
      if (event.target.matches("a.mark:focus-visible")) show(event.target);
    });
    root.addEventListener("focusout", (event) => {
      if (event.target === shown) hide();
    });
    // A finger cannot hover: its first tap previews, the second one opens.
    root.addEventListener("click", onTap, true);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") hide();
    });
    window.addEventListener("scroll", hide, { passive: true });
  };

  function onTap(event) {
    const target = event.target.closest("a.mark, .verdict");
    if (target === null) {
      if (!event.target.closest(".preview")) hide();
    } else if (target.matches(".verdict") || (event.pointerType === "touch" && target !== shown)) {
      event.preventDefault();
      event.stopPropagation();
      show(target);
    } else {
      hide();
    }
  }

  function show(target) {
    if (!target.isConnected) return;
    hide();
    if (target.matches(".verdict")) {
      box.replaceChildren(yiwen.element("p", "preview-line", target.getAttribute("aria-label")));
    } else {
      const source = document.getElementById(target.getAttribute("href").slice(1));
      if (source === null) return;
      const text = (selector) => {
        const found = source.querySelector(selector);
        return found ? found.textContent : "";
      };
      const open = yiwen.button("preview-open", yiwen.words.view);
      open.tabIndex = -1;
      open.addEventListener("click", (event) => {
        event.stopPropagation();
        const mark = shown;
        hide();
        mark.click();
      });
      box.replaceChildren(
        yiwen.element("p", "preview-title", text("h4")),
        yiwen.element("p", "preview-place", text(".place")),
        yiwen.element("p", "preview-quote", text("blockquote mark")),
        open,
      );
    }
    shown = target;
    target.setAttribute("aria-describedby", box.id);
    box.hidden = false;
    const place = target.getBoundingClientRect();
    // Not over the sources, where they stand beside the answer.
    const card = target.closest(".card").getBoundingClientRect();
    const right = Math.min(Math.max(card.right, box.offsetWidth + 24), window.innerWidth - 12);
    const left = Math.min(Math.max(place.left - 24, 12), right - box.offsetWidth);
    const above = place.top - box.offsetHeight - 8;
    box.style.left = `${left}px`;
    box.style.top = `${above > 64 ? above : place.bottom + 8}px`;
  }

  function hide() {
    window.clearTimeout(timer);
    if (shown !== null) shown.removeAttribute("aria-describedby");
    shown = null;
    if (box) box.hidden = true;
  }
})();
