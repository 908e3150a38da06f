// The library's page: the list of documents, their states, searching for passages.
"use strict";

(() => {
  const { say, make, button, ask, tell, page, preview, uploads } = window.library;
  const PAGE_ROWS = 200;
  const POLL = 1000;
  const IDLE_POLL = 5000;
  let rows = [];
  let mayChange = true;
  let changes = -1;
  let most = PAGE_ROWS;
  let timer = 0;

  const part = (name) => page().querySelector(name);
  const fold = (text) => text.normalize("NFKC").toLowerCase();

  // ---- the list
  const chip = (row) => make("span", { className: `state state-${row.status}` }, say(row.status));

  const actions = (row) => {
    const holder = make("div", { className: "acts" });
    if (row.has_page_images && row.status !== "removing") {
      holder.append(button(say("preview"), say("previewNamed", { name: row.title }), () => preview.open(row)));
    }
    if (!row.file || !mayChange) return holder;
    holder.append(
      button(say("replace"), say("replaceNamed", { name: row.title }), () => chooseReplacement(row)),
      button(say("delete"), say("deleteNamed", { name: row.title }), () => confirmDeleting(row, holder)),
    );
    return holder;
  };

  const chooseReplacement = (row) => {
    const picker = document.querySelector(".replacement");
    const dot = row.file.lastIndexOf(".");
    picker.accept = row.file.slice(dot);
    picker.onchange = () => {
      if (picker.files.length) uploads.replace(row.file, picker.files[0]);
      picker.value = "";
    };
    picker.click();
  };

  const confirmDeleting = (row, holder) => {
    const before = [...holder.children];
    const back = () => {
      holder.replaceChildren(...before);
      before.at(-1).focus();
    };
    const sure = button(say("yesDelete"), `${say("yesDelete")} ${row.title}`, async () => {
      sure.disabled = true;
      try {
        await ask("/library/delete", { file: row.file });
        tell(say("deleted", { name: row.title }));
        await load();
        part(".filter").focus();
      } catch (error) {
        question.textContent = error.message;
        sure.remove();
      }
    });
    sure.className = "danger";
    const question = make("p", { className: "sure" }, say("sureDelete", { name: row.title }));
    question.setAttribute("role", "alert");
    holder.replaceChildren(question, button(say("cancel"), "", back), sure);
    holder.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && question.isConnected) back();
    });
    sure.focus();
  };

  const cell = (head, ...children) => {
    const element = make("td", {}, ...children);
    element.dataset.head = head;
    return element;
  };

  const shownRow = (row, heads) => {
    const name = make("th", { scope: "row" }, make("span", { className: "row-title" }, row.title));
    if (row.file) name.append(make("span", { className: "small row-file" }, row.file));
    const state = cell(heads[5], chip(row));
    if (row.is_read_only) {
      state.append(make("span", { className: "small read-only", title: say("readOnlyHint") }, say("readOnly")));
    }
    if (row.reason) {
      const older = row.id ? `（${say("olderAnswers")}）` : "";
      state.append(make("p", { className: "small row-reason" }, row.reason + older));
    }
    const line = make(
      "tr",
      {},
      name,
      cell(heads[1], row.collection || say("uncollected")),
      cell(heads[2], row.date || say("none")),
      cell(heads[3], row.pages ? String(row.pages) : say("none")),
      cell(heads[4], row.id ? String(row.passages) : say("none")),
      state,
      cell(heads[6], actions(row)),
    );
    line.dataset.file = row.file;
    line.dataset.status = row.status;
    return line;
  };

  const show = () => {
    const wanted = fold(part(".filter").value).split(/\s+/).filter(Boolean);
    const matches = rows.filter((row) => {
      const text = fold(`${row.title} ${row.file} ${row.collection} ${row.source} ${say(row.status)}`);
      return wanted.every((word) => text.includes(word));
    });
    const heads = [...document.querySelectorAll(".documents thead th")].map((head) => head.textContent);
    part(".documents tbody").replaceChildren(...matches.slice(0, most).map((row) => shownRow(row, heads)));
    part(".documents").hidden = !matches.length;
    const nothing = part(".nothing");
    nothing.hidden = matches.length > 0;
    nothing.textContent = say(rows.length ? "noMatch" : "noDocuments");
    const passages = rows.reduce((sum, row) => sum + row.passages, 0);
    part(".count").textContent = wanted.length
      ? say("shown", { shown: matches.length, count: rows.length })
      : say("count", { count: rows.length, passages });
    const more = part(".more-rows");
    more.hidden = matches.length <= most;
    more.textContent = say("more", { count: Math.min(PAGE_ROWS, matches.length - most) });
  };

  const showWork = (work) => {
    const line = part(".work");
    line.classList.toggle("library-error", Boolean(work.error));
    if (work.is_running) {
      const values = { text: work.text || say("preparing"), done: work.done, total: work.total };
      line.textContent = say(work.total ? "workingCount" : "working", values);
    } else if (work.error) {
      const retry = button(say("retry"), "", update);
      line.replaceChildren(say("runFailed", { error: work.error }), " ", ...(mayChange ? [retry] : []));
    } else {
      line.textContent = say("idle");
    }
    line.classList.toggle("running", work.is_running);
  };

  // What is being answered or typed there must not vanish under the reader's hands.
  const isAsking = () => Boolean(part(".documents .sure"));

  const load = async () => {
    window.clearTimeout(timer);
    try {
      const found = await ask("/library/list");
      mayChange = found.may_change;
      for (const element of document.querySelectorAll("[data-changes]")) element.hidden = !mayChange;
      changes = found.work.changes;
      rows = found.documents;
      uploads.follow(rows);
      keepFocus(show);
      showWork(found.work);
      const names = [...new Set(rows.map((row) => row.collection).filter(Boolean))].sort();
      part("#collections").replaceChildren(...names.map((name) => make("option", { value: name })));
      later(found.work);
    } catch (error) {
      part(".work").textContent = say("loadFailed", { error: error.message });
      later(null);
    }
  };

  /** Draw anew, and put the focus back on the same control of the same document. */
  const keepFocus = (draw) => {
    const active = document.activeElement;
    const file = active?.closest("tr")?.dataset.file;
    const label = active?.getAttribute("aria-label");
    draw();
    if (!file || !label) return;
    for (const line of document.querySelectorAll(".documents tbody tr")) {
      if (line.dataset.file !== file) continue;
      [...line.querySelectorAll("button")].find((one) => one.getAttribute("aria-label") === label)?.focus();
    }
  };

  const later = (work) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(poll, work?.is_running ? POLL : IDLE_POLL);
  };

  const poll = async () => {
    if (document.hidden) return later(null);
    try {
      const { work } = await ask("/library/status");
      if (work.changes !== changes && !isAsking()) return load();
      showWork(work);
      later(work);
    } catch (error) {
      part(".work").textContent = say("loadFailed", { error: error.message });
      later(null);
    }
  };

  const update = async () => {
    try {
      await ask("/library/update", {});
      await load();
    } catch (error) {
      tell(error.message);
      part(".work").textContent = error.message;
    }
  };

  // ---- searching
  const shownPassage = (found) => {
    const row = rows.find((one) => one.id === found.document);
    const place = [
      row?.collection,
      found.heading,
      found.page ? say("page", { page: found.page }) : "",
      found.date,
      say("score", { score: found.score.toFixed(2) }),
    ];
    const item = make(
      "li",
      {},
      make("h3", {}, found.title),
      make("p", { className: "small" }, place.filter(Boolean).join(" · ")),
      make("blockquote", {}, ...marked(found)),
    );
    if (row?.has_page_images && found.page) {
      const label = `${say("openPage")}：${say("pageImage", { name: found.title, page: found.page })}`;
      item.append(button(say("openPage"), label, () => preview.open(row, found.page)));
    }
    return item;
  };

  /** The passage, its best span marked where the reader named one. */
  const marked = (found) => {
    const characters = [...found.text]; // the server counts characters, not UTF-16 units
    const best = found.reading?.spans?.[0];
    if (!best) return [found.text];
    const cut = (start, end) => characters.slice(start, end).join("");
    return [cut(0, best[0]), make("mark", {}, cut(best[0], best[1])), cut(best[1])];
  };

  const search = async (event) => {
    event.preventDefault();
    const line = part(".search-line");
    const list = part(".passages");
    const question = part(".question").value.trim();
    list.replaceChildren();
    if (!question) {
      line.textContent = say("emptyQuestion");
      return;
    }
    line.textContent = say("searching");
    try {
      const { passages } = await ask("/library/search", { question });
      if (part(".question").value.trim() !== question) return;
      line.textContent = passages.length ? say("found", { count: passages.length }) : say("nothingFound");
      list.replaceChildren(...passages.map(shownPassage));
    } catch (error) {
      line.textContent = error.message;
    }
  };

  preview.start();
  uploads.start(load);
  part(".search").addEventListener("submit", search);
  part(".filter").addEventListener("input", () => {
    most = PAGE_ROWS;
    show();
  });
  part(".more-rows").addEventListener("click", () => {
    most += PAGE_ROWS;
    show();
  });
  part(".refresh").addEventListener("click", update);
  document.addEventListener("visibilitychange", () => document.hidden || poll());
  load();
})();
