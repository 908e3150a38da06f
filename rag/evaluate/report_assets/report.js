// Filters the list of questions. The page reads the same without it.
(() => {
  "use strict";
  const form = document.getElementById("filters");
  const nothing = document.getElementById("nothing");
  const questions = [...document.querySelectorAll("details.q")];
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  const texts = new Map(); // filled when first searched
  const text = (question) => {
    if (!texts.has(question)) texts.set(question, plain(question.textContent));
    return texts.get(question);
  };
  const listed = () => questions.filter((question) => !question.hidden);

  function apply() {
    const { result, type, words, shown, open } = form.elements;
    const wanted = plain(words.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const question of questions) {
      const fits =
        (result.value === "all" || question.dataset.is.split(" ").includes(result.value)) &&
        (!type.value || question.dataset.type === type.value) &&
        wanted.every((word) => text(question).includes(word));
      question.hidden = !fits;
      count += fits;
    }
    shown.value = count === questions.length ? `${count} 题` : `${count} / ${questions.length} 题`;
    nothing.hidden = count > 0 || questions.length === 0;
    open.disabled = count === 0 || count > 200;
    open.title = count > 200 ? "超过 200 题，请先筛选" : "";
    label();
  }

  function label() {
    form.elements.open.textContent = listed().some((question) => question.open) ? "全部收起" : "展开所列";
  }

  let timer = 0;
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", apply);
  form.elements.words.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(apply, 160);
  });
  form.elements.open.addEventListener("click", () => {
    const open = !listed().some((question) => question.open);
    for (const question of listed()) question.open = open;
    label();
  });
  document.addEventListener("toggle", label, true);

  // A link to a question (report.html#q-12) opens it.
  function follow() {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  }
  addEventListener("hashchange", follow);
  apply();
  follow();
})();
