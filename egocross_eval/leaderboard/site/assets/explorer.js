/* The list of questions and the one that is open. */
"use strict";

(function () {
  const { h, link, load, replace, address, filters, answer, OUTCOMES } = window.egocross;
  const STEP = 60;
  let list = null;
  let found = [];
  let drawn = 0;
  let filtered = null;
  let said = null;
  let open = null;

  const byId = (id) => document.getElementById(id);

  /* The list itself is loaded when the page is first shown, or before that when the browser has nothing to do. */
  async function ready() {
    if (list) return list;
    const loaded = await load("questions");
    if (!list) {
      filters.prepare(loaded);
      filters.fill(loaded);
      list = loaded;
    }
    return list;
  }

  async function part(place) {
    let number = list.parts.length - 1;
    while (list.parts[number] > place) number -= 1;
    const details = await load(`answers-${number}`);
    return details[place - list.parts[number]];
  }

  /* All that models said, for the search; loaded only when that is asked for. */
  async function everythingSaid() {
    if (said) return said;
    const all = (await Promise.all(list.parts.map((_, number) => load(`answers-${number}`)))).flat();
    said = all.map((detail) => detail.answers.flatMap((one) => [one, ...(one?.asks ?? [])]).map((one) => `${one?.text ?? ""}\n${one?.reasoning ?? ""}`).join("\n").toLowerCase());
    return said;
  }

  function withoutQuestion(state) {
    const kept = Object.fromEntries(state);
    delete kept.id;
    return kept;
  }

  function row(question, state) {
    const marks = filters.marks(list, question, state);
    const right = marks.filter((mark) => mark.kind === "right").length;
    const asked = marks.filter((mark) => mark !== OUTCOMES["-"]).length;
    const known = marks.some((mark) => ["right", "wrong", "partly"].includes(mark.kind));
    const label = marks.length === 1 ? marks[0].word : known ? `${right} of ${asked} right` : "no known answer";
    const strip = marks.length > 1 ? marks.map((mark) => h("i", { class: mark.kind }, mark.mark)) : h("i", { class: marks[0]?.kind }, `${marks[0]?.mark} ${marks[0]?.word}`);
    return h(
      "li", {},
      h(
        "a", { href: link("questions", { ...withoutQuestion(state), id: question.key }), "data-key": question.key },
        h("span", { class: "row-head" }, h("span", {}, `#${question.id}`), question.titles.slice(0, 2).filter(Boolean).map((title) => h("span", {}, title))),
        h("span", { class: "row-text" }, question.text),
        h("span", { class: "marks" }, h("span", { class: "marks-strip", "aria-hidden": true }, strip), marks.length > 1 ? h("span", { class: "quiet" }, label) : h("span", { class: "unseen" }, label)),
      ),
    );
  }

  /* Draws the list in steps, as far as it's scrolled: 957 questions of 20 models are many marks. */
  function drawMore(state, upTo = drawn + STEP) {
    const end = Math.min(found.length, Math.max(upTo, drawn));
    byId("list").append(...found.slice(drawn, end).map((question) => row(question, state)));
    drawn = end;
    byId("list-more").textContent = drawn < found.length ? `${found.length - drawn} more: scroll down` : "";
  }

  async function drawList(state) {
    const key = new URLSearchParams(withoutQuestion(state)).toString();
    if (filtered === key) return;
    filtered = key;
    const texts = state.get("text") === "1" && state.get("q") ? await everythingSaid() : null;
    if (filtered !== key) return;
    found = filters.select(list, state, texts);
    drawn = 0;
    byId("list").replaceChildren();
    drawMore(state);
    byId("list-nav").scrollTop = 0;
    byId("count").textContent = `${found.length} of ${list.questions.length} questions`;
  }

  function markOpen(key, state) {
    for (const old of byId("list").querySelectorAll("[aria-current]")) old.removeAttribute("aria-current");
    const place = found.findIndex((question) => question.key === key);
    if (place >= drawn) drawMore(state, place + STEP);
    const current = byId("list").children[place]?.firstElementChild;
    current?.setAttribute("aria-current", "true");
    const box = byId("list-nav");
    if (current && box.scrollHeight > box.clientHeight) {
      const top = current.offsetTop - box.offsetTop;
      if (top < box.scrollTop || top + current.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top - box.clientHeight / 3;
    }
    return place;
  }

  /* The question of the address; else, where list and question stand side by side, the first one found. */
  function openKey(state) {
    const beside = getComputedStyle(document.querySelector("#explorer .split")).gridTemplateColumns.includes(" ");
    return state.get("id") ?? (beside ? found[0]?.key : undefined);
  }

  async function drawQuestion(state) {
    const key = openKey(state);
    const question = list.byKey.get(key);
    byId("explorer").classList.toggle("opened", state.has("id"));
    const article = byId("question");
    if (!key) {
      open = null;
      article.replaceChildren(h("p", { class: "quiet hint" }, "Choose a question to see its frames and what each model said. Keys: j next, k previous, / search, ? help."));
      return;
    }
    const place = markOpen(key, state);
    const filtersOnly = withoutQuestion(state);
    if (!question) {
      article.replaceChildren(answer.links(null, null, filtersOnly, place, found.length), h("p", { class: "notice" }, `There is no question ${key} on this site.`));
      return;
    }
    const named = [state.get("run"), state.get("run2")].filter(Boolean);
    const detail = await part(question.place);
    if (openKey(address().state) !== key) return;
    const fresh = open !== key;
    open = key;
    article.replaceChildren(answer.links(found[place - 1], place < 0 ? found[0] : found[place + 1], filtersOnly, place, found.length), ...answer.view(question, detail, list, named));
    article.dataset.key = key;
    if (fresh) {
      article.scrollTop = 0;
      byId("announce").textContent = `Question ${place + 1} of ${found.length}: ${question.text}`;
      if (getComputedStyle(byId("list-nav")).display === "none") {
        window.scrollTo(0, 0);
        article.focus({ preventScroll: true });
      }
    }
  }

  async function show(state) {
    try {
      await ready();
      filters.toForm(state);
      await drawList(state);
      await drawQuestion(state);
    } catch (error) {
      byId("question").replaceChildren(h("p", { class: "notice" }, error.message));
    }
  }

  /* The next or previous question of those found. */
  function step(by) {
    const { state } = address();
    const place = found.findIndex((question) => question.key === openKey(state));
    const next = found[place < 0 ? 0 : place + by];
    if (next) replace("questions", { ...withoutQuestion(state), id: next.key });
  }

  function start() {
    const changed = () => {
      const id = address().state.get("id");
      replace("questions", { ...filters.fromForm(), id });
    };
    let timer = 0;
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("filters").addEventListener("change", changed);
    byId("filter-q").addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(changed, 120);
    });
    byId("filter-clear").addEventListener("click", () => replace("questions", { id: address().state.get("id") }));
    new IntersectionObserver((seen) => {
      if (list && drawn < found.length && seen.some((one) => one.isIntersecting)) drawMore(address().state);
    }, { rootMargin: "400px" }).observe(byId("list-more"));
    byId("list-nav").addEventListener("scroll", () => {
      const box = byId("list-nav");
      if (drawn < found.length && box.scrollTop + 2 * box.clientHeight > box.scrollHeight) drawMore(address().state);
    }, { passive: true });
  }

  Object.assign(window.egocross, { explorer: { start, show, step, ready } });
})();
