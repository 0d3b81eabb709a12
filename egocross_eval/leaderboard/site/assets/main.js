/* Shows the page that the address names, and listens to the keyboard. */
"use strict";

(function () {
  const { address, link, overview, explorer } = window.egocross;
  const byId = (id) => document.getElementById(id);
  let last = null;

  /* A site may be without questions. */
  const withQuestions = () => window.egocross.data.summary.shown.questions;

  function route() {
    const { page: asked, state } = address();
    const page = withQuestions() ? asked : "overview";
    byId("overview").hidden = page !== "overview";
    if (byId("explorer")) byId("explorer").hidden = page !== "questions";
    for (const [name, id] of [["overview", "nav-overview"], ["questions", "nav-questions"]]) {
      if (!byId(id)) continue;
      if (name === page) byId(id).setAttribute("aria-current", "page");
      else byId(id).removeAttribute("aria-current");
    }
    if (page === "questions") explorer.show(state);
    else overview.show(state);
    if (last && last !== page) window.scrollTo(0, 0);
    last = page;
  }

  function typing(target) {
    return target.closest("input:not([type=checkbox]), select, textarea") !== null;
  }

  function escape(target) {
    if (typing(target)) return target.blur();
    const { page, state } = address();
    if (page === "questions" && state.has("id")) {
      const kept = Object.fromEntries(state);
      delete kept.id;
      location.hash = link("questions", kept);
    }
  }

  function search() {
    if (address().page !== "questions") location.hash = link("questions", {});
    requestAnimationFrame(() => byId("filter-q").focus());
  }

  function keyboard(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    if (event.key === "Escape") return escape(event.target);
    if (typing(event.target)) return;
    const questions = withQuestions() && address().page === "questions";
    const scrolls = event.target.closest("pre, .film, .scroll") !== null;
    const actions = {
      "?": () => byId("help").showModal(),
      o: () => (location.hash = link("overview", {})),
      ...(withQuestions() ? { "/": search, e: () => (location.hash = link("questions", {})) } : {}),
      ...(questions ? { j: () => explorer.step(1), k: () => explorer.step(-1) } : {}),
      ...(questions && !scrolls ? { ArrowDown: () => explorer.step(1), ArrowUp: () => explorer.step(-1) } : {}),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("content").focus();
  });
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  document.addEventListener("keydown", keyboard);
  window.addEventListener("hashchange", route);
  overview.start();
  if (withQuestions()) explorer.start();
  route();
  document.documentElement.dataset.ready = "yes";
  if (withQuestions()) (window.requestIdleCallback ?? setTimeout)(() => explorer.ready().catch(() => undefined));
})();
