// Uploads: one request a file, one after the other, each with its own progress and its own error.
"use strict";

window.library.uploads = (() => {
  const { say, make, button, size, reason, send, tell, page } = window.library;
  const queue = [];
  let isBusy = false;
  let onDone = () => {};

  const list = () => page().querySelector(".uploads");
  const most = () => Number(page().dataset.most);

  const row = (file) => {
    const bar = make("progress", { max: 1, value: 0 });
    bar.setAttribute("aria-label", file.name);
    const line = make("p", { className: "small upload-line" });
    const acts = make("div", { className: "upload-acts" });
    const item = make("li", {}, make("p", { className: "upload-name" }, file.name), bar, line, acts);
    list().append(item);
    return { item, bar, line, acts, name: file.name };
  };

  const settle = (shown, text, isError) => {
    shown.bar.remove();
    shown.line.textContent = text;
    shown.item.classList.toggle("failed", isError);
    shown.acts.replaceChildren(
      button(say("dismiss"), say("dismissNamed", { name: shown.name }), () => {
        shown.item.remove();
        page().querySelector(".choose").focus();
      }),
    );
    tell(`${shown.name}：${text}`);
  };

  const upload = async (entry) => {
    const { file, shown, path, fields, replaced } = entry;
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("name", file.name); // the part's own name is not kept to the character
    form.append("file", file, file.name);
    let body;
    try {
      body = await send(path, form, (share) => {
        shown.bar.value = share;
        shown.line.textContent =
          share < 1 ? say("uploading", { percent: Math.floor(share * 100) }) : say("arriving");
      });
    } catch (error) {
      settle(shown, error.message, true);
      return;
    }
    const result = body && body.results ? body.results[0] : body;
    if (!result || result.error) {
      settle(shown, reason(result), true);
      if (result && result.error && result.error.code === "name_taken") offerReplacing(entry);
      return;
    }
    settle(shown, say(replaced ? "replaced" : "uploaded"), false);
    shown.item.dataset.kept = result.file;
  };

  /** What became of the uploaded files, by the list of documents. */
  const follow = (rows) => {
    for (const item of list().querySelectorAll("[data-kept]")) {
      const row = rows.find((one) => one.file === item.dataset.kept);
      if (row?.status !== "indexed" && row?.status !== "failed") continue;
      item.querySelector(".upload-line").textContent = row.reason || say("indexed");
      item.classList.toggle("failed", row.status === "failed");
    }
  };

  const offerReplacing = ({ file, shown, path, fields }) => {
    const act = button(say("taken"), say("replaceNamed", { name: file.name }), () => {
      shown.item.remove();
      enqueue(file, path, { ...fields, replace: "true" }, true);
    });
    shown.acts.prepend(act);
  };

  const work = async () => {
    if (isBusy) return;
    isBusy = true;
    while (queue.length) {
      await upload(queue.shift());
      onDone();
    }
    isBusy = false;
  };

  const enqueue = (file, path, fields, replaced = false) => {
    const shown = row(file);
    if (file.size > most()) settle(shown, say("tooLarge", { size: size(most()) }), true);
    else if (!file.size) settle(shown, say(file.type ? "empty" : "folder"), true);
    else queue.push({ file, shown, path, fields, replaced });
    work();
  };

  /** New files, into the collection that is written in its box. */
  const add = (files) => {
    const collection = page().querySelector(".collection").value.trim();
    const replace = page().querySelector(".replace-same").checked;
    for (const file of files) {
      enqueue(file, "/library/upload", { collection, replace: String(replace) }, replace);
    }
  };

  /** New content for the file `target`. */
  const replace = (target, file) => enqueue(file, "/library/replace", { target }, true);

  const start = (whenDone) => {
    onDone = whenDone;
    const picker = page().querySelector(".picker");
    page().querySelector(".choose").addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
      add([...picker.files]);
      picker.value = "";
    });
    const drop = page().querySelector(".drop");
    const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    // Anywhere on the page: a file dropped beside the box must not replace the page.
    for (const name of ["dragover", "drop"]) {
      document.addEventListener(name, (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        const isAllowed = !drop.closest("section").hidden;
        drop.classList.toggle("over", name === "dragover" && isAllowed);
        if (name === "drop" && isAllowed) add([...event.dataTransfer.files]);
      });
    }
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) drop.classList.remove("over");
    });
    window.addEventListener("beforeunload", (event) => {
      if (isBusy) event.preventDefault();
    });
  };

  return { start, replace, follow };
})();
