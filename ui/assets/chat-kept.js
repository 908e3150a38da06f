"use strict";
// Kept conversations: the list with search, rename, export and delete; opening one again; the
// collections to search in. The address of the page ends in #c-<id>, so that a reload opens the
// same conversation; nothing is put into the browser's storage.
(() => {
  const yiwen = (window.yiwen = window.yiwen || {});
  const FORMS = { md: "Markdown", docx: "Word", pdf: "PDF" };
  const ADDRESS = /^#c-([0-9a-f]{32})$/;
  let following = ""; // where the list goes on
  let sought = ""; // the words of the search box
  let newest = 0; // number of the last list asked for: earlier answers are dropped

  const panel = () => yiwen.find(".panel");

  yiwen.mountKept = async () => {
    const field = yiwen.find(".find", panel());
    let timer = 0;
    field.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        sought = field.value.trim();
        list();
      }, 250);
    });
    panel().addEventListener("click", onClick);
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      if (!closeSlot(event.target)) drawer(false);
    });
    yiwen.find(".more").addEventListener("click", () => list(following));
    yiwen.find(".menu").addEventListener("click", () => drawer(!isOpen()));
    yiwen.find(".shut").addEventListener("click", () => drawer(false));
    document.addEventListener("click", (event) => {
      if (isOpen() && !event.target.closest(".panel, .menu")) drawer(false);
    });
    window.addEventListener("hashchange", () => {
      const id = addressed();
      if (id && id !== yiwen.conversation) open(id);
    });
    try {
      const told = await (await yiwen.call("/chat/start")).json();
      yiwen.answering(told.model);
      yiwen.introduce(told.person, told.digest);
      scope(told.collections);
      fill(told, false);
      if (told.problem) tell(told.problem);
    } catch (error) {
      tell(error.message);
    }
    // An answer that the reload stopped is kept a moment later.
    if (addressed() && !yiwen.conversation) open(addressed(), 3);
  };

  // The conversation that is on the page; "" for a new one.
  yiwen.show = (id) => {
    if (id !== yiwen.conversation || id !== addressed()) {
      const plain = window.location.pathname + window.location.search;
      window.history.replaceState(null, "", id ? `#c-${id}` : plain);
    }
    yiwen.conversation = id;
    mark();
  };

  yiwen.refresh = () => list();

  // The collections that are ticked; none means all of them.
  yiwen.chosen = () =>
    [...document.querySelectorAll("#yiwen-composer .scope input[name]:checked")].map(
      (choice) => choice.name,
    );

  function addressed() {
    const found = ADDRESS.exec(window.location.hash);
    return found ? found[1] : "";
  }

  async function list(after = "") {
    newest += 1;
    const number = newest;
    const path = sought
      ? `/chat/search?words=${encodeURIComponent(sought)}`
      : `/chat/conversations?after=${encodeURIComponent(after)}`;
    try {
      const told = await (await yiwen.call(path)).json();
      if (number === newest) fill(told, Boolean(after));
    } catch (error) {
      tell(error.message);
    }
  }

  function fill(told, isMore) {
    const items = told.conversations.map(item);
    const kept = yiwen.find(".kept");
    if (isMore) kept.append(...items);
    else kept.replaceChildren(...items);
    following = told.following;
    yiwen.find(".more").hidden = !following;
    const nothing = sought ? yiwen.words.nothingFound : yiwen.words.none;
    tell(kept.children.length ? "" : nothing);
    mark();
  }

  function item(about) {
    const words = yiwen.words;
    const titled = (form) => form.replace("{title}", () => about.title);
    const entry = document.createElement("li");
    entry.dataset.id = about.id;
    entry.dataset.title = about.title;
    const opener = yiwen.button("open", "", titled(words.open));
    opener.append(yiwen.element("span", "name", about.title));
    opener.append(yiwen.element("span", "when", about.excerpt || when(about.updated)));
    const actions = yiwen.element("div", "acts");
    actions.append(yiwen.button("rename", words.rename, titled(words.renameOf)));
    actions.append(yiwen.button("export", words.export, titled(words.exportOf)));
    actions.append(yiwen.button("delete", words.delete, titled(words.deleteOf)));
    entry.append(opener, actions, yiwen.element("div", "slot"));
    return entry;
  }

  function when(time) {
    const then = new Date(time);
    const today = new Date().toDateString() === then.toDateString();
    const clock = { hour: "2-digit", minute: "2-digit" };
    const day = { year: "numeric", month: "2-digit", day: "2-digit" };
    return then.toLocaleString(yiwen.language, today ? clock : day);
  }

  function mark() {
    for (const entry of yiwen.root.querySelectorAll(".kept li")) {
      const opener = yiwen.find(".open", entry);
      if (entry.dataset.id === yiwen.conversation) opener.setAttribute("aria-current", "true");
      else opener.removeAttribute("aria-current");
    }
  }

  function tell(line) {
    const place = yiwen.find(".panel-line");
    place.textContent = line;
    place.hidden = !line;
  }

  function onClick(event) {
    const button = event.target.closest("button");
    const entry = event.target.closest("li");
    if (button === null || entry === null) return;
    if (button.matches(".open")) open(entry.dataset.id);
    else if (button.matches(".rename")) rename(entry);
    else if (button.matches(".export")) forms(entry);
    else if (button.matches(".delete")) confirm(entry);
  }

  async function open(id, patience = 0) {
    drawer(false);
    let told;
    try {
      told = await (await yiwen.call(`/chat/conversations/${id}`)).json();
    } catch (error) {
      if (patience > 0) {
        await new Promise((done) => window.setTimeout(done, 600));
        if (addressed() === id && !yiwen.conversation) await open(id, patience - 1);
        return;
      }
      yiwen.refuse(error.message);
      if (!yiwen.conversation) yiwen.show("");
      return;
    }
    yiwen.clear(true);
    yiwen.show(told.id);
    const turns = told.entries.map(yiwen.restore);
    if (turns.length) turns[turns.length - 1].scrollIntoView({ block: "start" });
    yiwen.say(yiwen.words.opened.replace("{title}", told.title));
    // On a phone the focus would bring the keyboard up over what was opened.
    const hovers = window.matchMedia("(hover: hover)").matches;
    if (hovers && yiwen.box()) yiwen.box().focus({ preventScroll: true });
  }

  // Open what stands under an entry for one of its buttons; a second time closes it.
  function slot(entry, opener, ...parts) {
    const place = yiwen.find(".slot", entry);
    const isSame = place.dataset.opener === opener;
    for (const other of yiwen.root.querySelectorAll(".kept .slot")) empty(other);
    if (isSame) return false;
    place.dataset.opener = opener;
    place.append(...parts);
    return true;
  }

  function empty(place) {
    place.replaceChildren();
    delete place.dataset.opener;
  }

  // Close what is open around an element and give its button the focus; false where nothing is.
  function closeSlot(element) {
    const entry = element.closest(".kept li");
    const place = entry && yiwen.find(".slot", entry);
    if (!place || !place.dataset.opener) return false;
    const { opener } = place.dataset;
    empty(place);
    yiwen.find(`.acts .${opener}`, entry).focus();
    return true;
  }

  function rename(entry) {
    const words = yiwen.words;
    const field = document.createElement("input");
    field.className = "title";
    field.value = entry.dataset.title;
    field.maxLength = 60;
    field.setAttribute("aria-label", words.newTitle);
    const save = yiwen.button("save", words.save);
    const send = () => change(entry, "rename", { title: field.value });
    save.addEventListener("click", send);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.isComposing) send();
    });
    const cancel = yiwen.button("cancel", words.cancel);
    cancel.addEventListener("click", () => closeSlot(cancel));
    if (slot(entry, "rename", field, save, cancel)) field.select();
  }

  function confirm(entry) {
    const words = yiwen.words;
    const line = yiwen.element("p", "sure", words.deleteSure);
    const sure = yiwen.button("sure-delete", words.delete);
    const cancel = yiwen.button("cancel", words.cancel);
    sure.addEventListener("click", async () => {
      if (!(await change(entry, "delete", {}))) return;
      yiwen.say(words.deleted);
      if (entry.dataset.id === yiwen.conversation) yiwen.clear();
    });
    cancel.addEventListener("click", () => closeSlot(cancel));
    if (slot(entry, "delete", line, sure, cancel)) cancel.focus();
  }

  async function change(entry, what, body) {
    try {
      await yiwen.call(`/chat/conversations/${entry.dataset.id}/${what}`, body);
    } catch (error) {
      tell(error.message);
      return false;
    }
    await list();
    return true;
  }

  function forms(entry) {
    const words = yiwen.words;
    const line = yiwen.element("p", "forms");
    for (const [form, name] of Object.entries(FORMS)) {
      const button = yiwen.button("form", name, words.exportAs.replace("{form}", name));
      button.addEventListener("click", () => save(entry.dataset.id, form));
      line.append(button);
    }
    if (slot(entry, "export", line)) line.firstChild.focus();
  }

  // Fetched first, so that an error is a line here and not a page of its own.
  async function save(id, form) {
    const words = yiwen.words;
    tell(words.exporting);
    try {
      const response = await yiwen.call(`/chat/conversations/${id}/export/${form}`);
      const disposition = response.headers.get("content-disposition") || "";
      const link = document.createElement("a");
      link.download = decodeURIComponent(disposition.split("''")[1] || `export.${form}`);
      link.href = URL.createObjectURL(await response.blob());
      link.click();
      window.setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      tell("");
      yiwen.say(words.exported.replace("{name}", link.download));
    } catch (error) {
      tell(error.message);
    }
  }

  // A search over all collections needs no choice; so there is one from two collections on.
  function scope(collections) {
    const place = document.querySelector("#yiwen-composer .scope");
    if (place === null || collections.length < 2) return;
    for (const name of collections) {
      const label = yiwen.element("label", "collection");
      const choice = document.createElement("input");
      choice.type = "checkbox";
      choice.name = name;
      label.append(choice, name);
      place.append(label);
    }
    place.hidden = false;
  }

  const isOpen = () => document.body.classList.contains("yiwen-panel-open");

  function drawer(opens) {
    if (opens === isOpen()) return;
    document.body.classList.toggle("yiwen-panel-open", opens);
    const menu = yiwen.find(".menu");
    menu.setAttribute("aria-expanded", String(opens));
    if (opens) yiwen.find(".find").focus();
    else if (panel().contains(document.activeElement)) menu.focus();
  }
})();
