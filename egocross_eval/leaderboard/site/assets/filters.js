/* Which questions are listed: filters to and from the address, and the search. */
"use strict";

(function () {
  const { options, OUTCOMES } = window.egocross;
  const FIELDS = ["q", "domain", "type", "agree", "run", "outcome", "run2", "outcome2"];
  const AGREEMENT = [
    ["", "any agreement"], ["differ", "disagree"], ["agree", "all say the same letter"],
    ["right", "all right"], ["some", "some right, some not"], ["none", "none right"],
  ];
  const IS = [["", "anything"], ["r", "right"], ["not", "not right"], ["w", "wrong"], ["n", "not parsed"], ["e", "failed"], ["u", "without known answer"]];

  /* Gives each question its place, names instead of numbers, and a text to search in. */
  function prepare(list) {
    list.questions = list.items.map(([key, id, domain, dataset, type, text, choices, answer, frames, seconds, video], place) => ({
      place, key, id, domain: list.domains[domain], dataset: list.datasets[dataset], type: list.types[type] ?? "",
      text, choices, answer, frames, seconds, video,
      outcomes: list.outcomes.map((row) => row[place]),
      letters: list.letters.map((row) => row[place]),
      words: [text, ...choices.map(([, choice]) => choice), key, `#${id}`, list.types[type] ?? "", video].join("\n").toLowerCase(),
    }));
    list.byKey = new Map(list.questions.map((question) => [question.key, question]));
  }

  function fill(list) {
    const field = (name) => document.getElementById(`filter-${name}`);
    const runs = [["", "any"], ...list.runs.map((run) => [run.slug, run.label])];
    options(field("domain"), [["", "all"], ...list.domains.map((name) => [name, name])]);
    options(field("type"), [["", "all"], ...list.types.map((name) => [name, name])]);
    options(field("agree"), AGREEMENT);
    options(field("run"), runs);
    options(field("run2"), runs);
    options(field("outcome"), IS);
    options(field("outcome2"), IS);
  }

  function toForm(state) {
    for (const name of FIELDS) {
      const field = document.getElementById(`filter-${name}`);
      const value = state.get(name) ?? "";
      if (field.value !== value) field.value = value;
      if (field.selectedIndex === -1) field.selectedIndex = 0;
    }
    document.getElementById("filter-text").checked = state.get("text") === "1";
  }

  function fromForm() {
    const state = Object.fromEntries(FIELDS.map((name) => [name, document.getElementById(`filter-${name}`).value]));
    if (document.getElementById("filter-text").checked) state.text = "1";
    return state;
  }

  function agrees(question, how) {
    const asked = question.outcomes.flatMap((outcome, run) => (outcome === "-" || outcome === "e" ? [] : [run]));
    if (!asked.length) return false;
    const right = asked.filter((run) => question.outcomes[run] === "r").length;
    if (how === "right") return right === asked.length;
    if (how === "none") return right === 0;
    if (how === "some") return right > 0 && right < asked.length;
    const letters = new Set(asked.map((run) => question.letters[run]));
    return how === "agree" ? letters.size === 1 && !letters.has(" ") : letters.size > 1;
  }

  function is(question, run, outcome) {
    const found = question.outcomes[run];
    return outcome === "not" ? "wn".includes(found) : found === outcome;
  }

  /* Without a model, an outcome means that of any model. */
  function matchesRun(list, question, slug, outcome) {
    if (!slug && !outcome) return true;
    const run = list.runs.findIndex((one) => one.slug === slug);
    if (run < 0) return question.outcomes.some((_, one) => is(question, one, outcome));
    return outcome ? is(question, run, outcome) : question.outcomes[run] !== "-";
  }

  function select(list, state, said) {
    const get = (name) => state.get(name) ?? "";
    const words = get("q").toLowerCase().split(/\s+/).filter(Boolean);
    return list.questions.filter(
      (question) =>
        (!get("domain") || question.domain === get("domain")) &&
        (!get("type") || question.type === get("type")) &&
        (!get("agree") || agrees(question, get("agree"))) &&
        matchesRun(list, question, get("run"), get("outcome")) &&
        matchesRun(list, question, get("run2"), get("outcome2")) &&
        words.every((word) => question.words.includes(word) || (said && said[question.place].includes(word))),
    );
  }

  /* The marks of a question: all runs', or those of the runs that the filters name. */
  function marks(list, question, state) {
    const named = [state.get("run"), state.get("run2")].filter(Boolean);
    return list.runs.flatMap((run, number) => (named.length && !named.includes(run.slug) ? [] : [OUTCOMES[question.outcomes[number]]]));
  }

  Object.assign(window.egocross, { filters: { prepare, fill, toForm, fromForm, select, marks } });
})();
