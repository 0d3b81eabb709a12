/* Which questions are listed: filters to and from the address, and the search. */
"use strict";

(function () {
  const { options, OUTCOMES } = window.egocross;
  const FIELDS = ["q", "part", "group", "agree", "run", "outcome", "run2", "outcome2"];
  const AGREEMENT = [
    ["", "any agreement"], ["differ", "disagree"], ["agree", "all say the same"],
  ];
  const RIGHTNESS = [["right", "all right"], ["some", "some right, some not"], ["none", "none right"]];
  const IS = [["", "anything"], ["r", "right"], ["not", "not right"], ["w", "wrong"], ["p", "partly right"], ["n", "not parsed"], ["f", "filtered"], ["e", "failed"], ["u", "without known answer"]];

  /* Gives each question its place, names instead of numbers, and a text to search in. */
  function prepare(list) {
    const member = (groups, which) => groups.map((place, axis) => list.axes[axis].groups[place]?.[which] ?? "");
    list.questions = list.items.map(([key, id, groups, text, choices, answer, frames, seconds, cluster], place) => ({
      place, key, id, groups: member(groups, 0), titles: member(groups, 1), text, choices, answer, frames, seconds, cluster,
      outcomes: list.outcomes.map((row) => row[place]),
      said: list.said.map((row) => row[place]),
      words: [text, ...choices.map(([, choice]) => choice), key, `#${id}`, ...member(groups, 1), cluster].join("\n").toLowerCase(),
    }));
    list.byKey = new Map(list.questions.map((question) => [question.key, question]));
  }

  function fill(list) {
    const field = (name) => document.getElementById(`filter-${name}`);
    const runs = [["", "any"], ...list.runs.map((run) => [run.slug, run.label])];
    ["part", "group"].forEach((name, axis) => options(field(name), [["", "all"], ...list.axes[axis].groups]));
    const known = list.outcomes.some((row) => /[rwp]/.test(row));
    options(field("agree"), known ? [...AGREEMENT, ...RIGHTNESS] : AGREEMENT);
    options(field("run"), runs);
    options(field("run2"), runs);
    const is = known ? IS : IS.filter(([outcome]) => !["r", "w", "p", "not"].includes(outcome));
    options(field("outcome"), is);
    options(field("outcome2"), is);
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
    const said = new Set(asked.map((run) => question.said[run]));
    return how === "agree" ? said.size === 1 && !said.has(null) : said.size > 1;
  }

  function is(question, run, outcome) {
    const found = question.outcomes[run];
    return outcome === "not" ? "wpn".includes(found) : found === outcome;
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
        (!get("part") || question.groups[0] === get("part")) &&
        (!get("group") || question.groups[1] === get("group")) &&
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
