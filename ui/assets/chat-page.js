"use strict";
// The page of a PDF that a citation stands on, in a dialog.
(() => {
  const yiwen = (window.yiwen = window.yiwen || {});
  let dialog = null;
  let opener = null;

  yiwen.openPage = (button) => {
    if (dialog === null) build();
    const { document: id, page, title } = button.dataset;
    const words = yiwen.words;
    const name = words.pageImage.replace("{title}", title).replace("{page}", page);
    const holder = yiwen.find(".page-image", dialog);
    const address = `/library/documents/${id.split("/").map(encodeURIComponent).join("/")}/page/${page}.png`;
    yiwen.find("h2", dialog).textContent = name;
    holder.replaceChildren(yiwen.element("p", "small", words.pageLoading));
    const image = document.createElement("img");
    image.alt = name;
    image.addEventListener("load", () => holder.replaceChildren(image));
    image.addEventListener("error", async () => {
      // A picture does not tell why it is missing; the answer itself does.
      const line = await yiwen.call(address).then(() => words.failed, (error) => error.message);
      holder.replaceChildren(yiwen.element("p", "note note-warning", line));
    });
    image.src = address;
    opener = button;
    dialog.showModal();
  };

  function build() {
    dialog = yiwen.element("dialog", "page-dialog");
    dialog.setAttribute("aria-labelledby", "yiwen-page-title");
    const title = yiwen.element("h2", "");
    title.id = "yiwen-page-title";
    const close = yiwen.button("close", yiwen.words.close);
    close.addEventListener("click", () => dialog.close());
    const head = yiwen.element("div", "page-head");
    head.append(title, close);
    const holder = yiwen.element("div", "page-image");
    holder.tabIndex = 0;
    dialog.append(head, holder);
    dialog.addEventListener("close", () => {
      holder.replaceChildren();
      if (opener.isConnected) opener.focus();
    });
    yiwen.root.append(dialog);
  }
})();
