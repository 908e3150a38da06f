// Pages of a PDF, one at a time, in a dialog.
"use strict";

window.library.preview = (() => {
  const { say, make } = window.library;
  let shown = null;
  let opener = null;

  const dialog = () => document.querySelector(".preview-page");
  const part = (name) => dialog().querySelector(name);

  const draw = () => {
    const { id, title, pages, page, version } = shown;
    part(".place").textContent = say("pageOf", { page, pages });
    part(".previous").disabled = page <= 1;
    part(".next").disabled = page >= pages;
    const image = make("img", { alt: say("pageImage", { name: title, page }) });
    const holder = part(".preview-image");
    holder.replaceChildren(make("p", { className: "small" }, say("pageLoading")));
    const path = id.split("/").map(encodeURIComponent).join("/");
    const address = `/library/documents/${path}/page/${page}.png?v=${version}`;
    image.addEventListener("load", () => {
      if (shown && shown.address === address) holder.replaceChildren(image);
    });
    image.addEventListener("error", async () => {
      // A picture does not tell why it is missing; the answer itself does.
      const line = await window.library.ask(address).then(() => say("unknown"), (error) => error.message);
      if (shown && shown.address === address) {
        holder.replaceChildren(make("p", { className: "library-error" }, line));
      }
    });
    shown.address = address;
    image.src = address;
  };

  const step = (by) => {
    const page = shown.page + by;
    if (page < 1 || page > shown.pages) return;
    shown.page = page;
    draw();
  };

  /** Show a document from `page` on; focus goes back to where it came from. */
  const open = (row, page = 1) => {
    opener = document.activeElement;
    shown = { id: row.id, title: row.title, pages: row.pages, version: row.version, page };
    part("h2").textContent = row.title;
    dialog().showModal();
    draw();
  };

  const start = () => {
    part(".close").addEventListener("click", () => dialog().close());
    part(".previous").addEventListener("click", () => step(-1));
    part(".next").addEventListener("click", () => step(1));
    dialog().addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft" || event.key === "PageUp") step(-1);
      else if (event.key === "ArrowRight" || event.key === "PageDown") step(1);
      else return;
      event.preventDefault();
    });
    dialog().addEventListener("close", () => {
      shown = null;
      part(".preview-image").replaceChildren();
      if (opener && opener.isConnected) opener.focus();
    });
  };

  return { open, start };
})();
