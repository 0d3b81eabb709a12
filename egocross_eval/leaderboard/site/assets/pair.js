/* Which of two models is better, and whether that is sure. */
"use strict";

(function () {
  const { h, percent, options, link, replace, charts } = window.egocross;

  const VERDICTS = {
    shown: { mark: "✔", word: "Sure", kind: "sure" },
    "not shown": { mark: "?", word: "Not sure", kind: "unsure" },
    "too few": { mark: "?", word: "Too few to tell", kind: "unsure" },
  };

  function find(summary, a, b) {
    const [first, second] = a < b ? [a, b] : [b, a];
    return summary.pairs.find((pair) => pair.first === first && pair.second === second);
  }

  /* The pair that the address names, else the one the site starts with. */
  function chosen(summary, state) {
    const number = (slug) => summary.runs.findIndex((run) => run.slug === slug);
    const [a, b] = [number(state.get("a")), number(state.get("b"))];
    if (a >= 0 && b >= 0 && a !== b) return [a, b];
    const start = summary.start ?? [0, 1];
    if (a >= 0) return [a, start.find((one) => one !== a)];
    if (b >= 0) return [start.find((one) => one !== b), b];
    return start;
  }

  function inWords(pair, better, cluster) {
    if (pair.verdict === "shown") {
      return `${better} has more questions right, and luck is no good explanation for it.`;
    }
    if (pair.verdict === "too few") return `So few ${cluster}s can't say what others would show.`;
    if (pair.gained === pair.lost) return "Both have equally many questions right.";
    return `${better} has more questions right here, but so few more that it may be luck: on other questions the order could turn round.`;
  }

  /* The first model's numbers beside the second's, and links to the questions where they part. */
  function figures(summary, pair, a, b) {
    const turned = pair.first !== a;
    const [right, share] = [pair.right, pair.share].map(([one, two]) => (turned ? [two, one] : [one, two]));
    const [onlyA, onlyB] = turned ? [pair.gained, pair.lost] : [pair.lost, pair.gained];
    const runs = [summary.runs[a], summary.runs[b]];
    const both = right[0] - onlyA;
    const big = runs.map((run, i) =>
      h("div", { class: "big" }, h("p", { class: "quiet" }, run.label), h("p", { class: "number" }, percent(share[i])), h("p", { class: "quiet" }, `${right[i]} of ${pair.n} right`)),
    );
    const where = (first, second) => (summary.shown.answers ? link("questions", { run: runs[0].slug, outcome: first, run2: runs[1].slug, outcome2: second }) : null);
    const cells = [
      ["Both right", both, where("r", "r")],
      [`Only ${runs[0].label}`, onlyA, where("r", "not")],
      [`Only ${runs[1].label}`, onlyB, where("not", "r")],
      ["Neither", pair.n - both - onlyA - onlyB, where("not", "not")],
    ];
    const list = h("ul", { class: "quadrants" }, cells.map(([text, count, href]) => h("li", {}, h(href ? "a" : "span", { href }, h("strong", {}, String(count)), " ", text))));
    return [h("div", { class: "bigs" }, big), list, h("p", { class: "quiet" }, `Same answer to ${pair.same_answer} of ${pair.n} questions.`)];
  }

  function differences(pair, a, b, summary) {
    const place = document.getElementById("pair-differences");
    const turned = pair.first !== a;
    const rows = pair.differences.map(([what, first, second]) => (turned ? [what, second, first] : [what, first, second]));
    place.hidden = !rows.length && !pair.notes.length;
    const head = ["", summary.runs[a].label, summary.runs[b].label].map((text) => h("th", { scope: "col" }, text));
    const table = h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows.map((row) => h("tr", {}, row.map((text, i) => h(i ? "td" : "th", i ? {} : { scope: "row" }, text))))));
    place.querySelector("div").replaceChildren(
      ...(rows.length ? [h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "What differs" }, table)] : []),
      h("ul", {}, pair.notes.map((note) => h("li", {}, note))),
    );
  }

  function show(summary, state) {
    const section = document.getElementById("pair");
    if (!section || summary.runs.length < 2) return;
    const [a, b] = chosen(summary, state);
    const choices = summary.runs.map((run) => [run.slug, run.label]);
    options(document.getElementById("pair-a"), choices, summary.runs[a].slug);
    options(document.getElementById("pair-b"), choices, summary.runs[b].slug);
    const pair = find(summary, a, b);
    const verdict = document.getElementById("verdict");
    const place = document.getElementById("pair-figures");
    if (!pair) {
      verdict.className = "verdict unsure";
      verdict.replaceChildren(h("p", { class: "sentence", id: "sentence" }, "These two were not compared: they share no question with a known answer, or are not among the best runs (site --compare)."));
      place.replaceChildren();
      charts.chart("chart-pair", () => null);
      return;
    }
    const look = VERDICTS[pair.verdict];
    const better = pair.looks[0].difference >= 0 ? pair.second : pair.first;
    verdict.className = `verdict ${look.kind}`;
    verdict.replaceChildren(
      h("p", { class: "sure-badge" }, h("span", { "aria-hidden": true }, `${look.mark} `), look.word),
      h("div", {}, h("p", { class: "sentence", id: "sentence" }, pair.sentence), h("p", { class: "quiet" }, inWords(pair, summary.runs[better].label, summary.cluster))),
    );
    place.replaceChildren(...figures(summary, pair, a, b));
    differences(pair, a, b, summary);
    const sign = pair.first === a ? -1 : 1;
    const looks = pair.looks.map((one) => ({
      name: one.name, n: one.n, difference: sign * one.difference,
      low: sign > 0 ? one.low : -one.high, high: sign > 0 ? one.high : -one.low, shown: one.shown,
    }));
    const points = (value) => `${value > 0 ? "+" : ""}${(100 * value).toFixed(1)}`;
    charts.chart("chart-pair", charts.pairChart(looks, summary.runs[a].label, summary.runs[b].label), {
      headers: ["", "difference", "interval", "questions"],
      rows: () => looks.map((one) => [one.name, points(one.difference), `${points(one.low)} to ${points(one.high)}`, one.n]),
    });
  }

  function listen(summary) {
    const [a, b] = ["pair-a", "pair-b"].map((id) => document.getElementById(id));
    if (!a) return;
    const changed = (event) => {
      const state = Object.fromEntries(window.egocross.address().state);
      if (a.value === b.value) {
        // Choosing the other one's model swaps the two.
        const [first, second] = chosen(summary, window.egocross.address().state);
        (event.target === a ? b : a).value = summary.runs[event.target === a ? first : second].slug;
      }
      replace("overview", { ...state, a: a.value, b: b.value });
    };
    a.addEventListener("change", changed);
    b.addEventListener("change", changed);
  }

  Object.assign(window.egocross, { pair: { show, listen, chosen } });
})();
