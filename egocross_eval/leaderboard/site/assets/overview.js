/* The overview: the leaderboard's sorting, and what each chart shows. */
"use strict";

(function () {
  const { h, link, replace, address, charts, pair } = window.egocross;
  const MOST_SHOWN = 8;

  function sortable(table) {
    const heads = [...table.querySelectorAll("thead th")];
    heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => sort(table, heads, column)));
  }

  /* Numbers by size, the best first; texts by name. What has no value stays at the end. */
  function sort(table, heads, column) {
    const body = table.tBodies[0];
    const down = heads[column].getAttribute("aria-sort");
    const value = (row) => row.cells[column].dataset.sort;
    const empty = (text) => text === "–" || text === "";
    const numbers = [...body.rows].every((row) => empty(value(row)) || !Number.isNaN(Number(value(row))));
    const first = numbers && heads[column].dataset.first !== "low" ? "descending" : "ascending";
    const order = down ? (down === "ascending" ? "descending" : "ascending") : first;
    const turn = order === "ascending" ? 1 : -1;
    const rows = [...body.rows].sort((one, two) => {
      const [a, b] = [value(one), value(two)];
      if (empty(a) || empty(b)) return empty(a) - empty(b);
      return turn * (numbers ? Number(a) - Number(b) : a.localeCompare(b));
    });
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", order);
    body.append(...rows);
  }

  /* Says that there are more columns, where the table is wider than its place. */
  function hinted(table) {
    const place = table.closest(".scroll");
    const sizes = new ResizeObserver(() => {
      table.querySelector("caption .more").hidden = place.scrollWidth <= place.clientWidth;
    });
    [place, table].forEach((element) => sizes.observe(element));
  }

  function order(runs) {
    return [...runs].sort((a, b) => (b.micro?.accuracy ?? -1) - (a.micro?.accuracy ?? -1)).map((run) => run.label);
  }

  /* The runs' figures by group of an axis, with the group's name and title. */
  const flat = (runs, field, axis) =>
    runs.flatMap((run) => axis.groups.filter(([name]) => run[field][name]).map(([name, title]) => ({ model: run.label, slug: run.slug, name, title, percent: (100 * run[field][name].accuracy).toFixed(0), ...run[field][name] })));

  const openGroup = (datum) => {
    if (datum.slug) location.hash = link("questions", { group: datum.name, run: datum.slug });
  };

  /* Charts of all runs; they don't depend on the address. */
  function fixedCharts(summary) {
    const scored = summary.runs.filter((run) => run.micro);
    const names = order(scored);
    const drawings = [["chart-parts", "parts", charts.partChart, null], ["chart-groups", "groups", charts.groupChart, summary.shown.questions ? openGroup : null]];
    drawings.forEach(([id, field, draw, click], place) => {
      const axis = summary.axes[place];
      const values = flat(scored, field, axis);
      charts.chart(id, values.length ? draw(values, names, axis) : () => null, {
        headers: ["model", axis.title, "right", "interval", "questions"],
        rows: () => values.map((value) => [value.model, value.title, ...charts.figureRow(value)]),
        click,
        note: `No right answers are known, or the questions have no ${axis.title}.`,
      });
    });
  }

  function shownRuns(summary, state) {
    const named = (state.get("show") ?? "").split(",").filter(Boolean);
    const found = summary.runs.filter((run) => named.includes(run.slug)).slice(0, MOST_SHOWN);
    if (found.length) return found;
    return summary.runs.length > 1 ? pair.chosen(summary, state).map((number) => summary.runs[number]) : summary.runs;
  }

  function shownBoxes(summary, shown) {
    const place = document.getElementById("shown");
    if (!place) return;
    const boxes = summary.runs.map((run) => {
      const box = h("input", { type: "checkbox", value: run.slug, checked: shown.includes(run), onchange: changed });
      return h("label", { class: "check" }, box, " ", run.label);
    });
    place.replaceChildren(place.firstElementChild, h("div", { class: "boxes" }, boxes));
  }

  function changed(event) {
    const boxes = [...document.querySelectorAll("#shown input:checked")];
    if (boxes.length > MOST_SHOWN) {
      event.target.checked = false;
      return;
    }
    const { state } = address();
    replace("overview", { ...Object.fromEntries(state), show: boxes.map((box) => box.value).join(",") });
    document.querySelector(`#shown input[value="${event.target.value}"]`)?.focus();
  }

  function shownCharts(summary, shown, pairRuns) {
    const models = shown.map((run) => run.label);
    for (const [id, name, title] of [["chart-frames", "frames", "frames in the clip"], ["chart-seconds", "seconds", "length of the clip in seconds"]]) {
      const values = shown.flatMap((run) => run[name].map((bin) => ({ model: run.label, ...bin })));
      charts.chart(id, charts.binChart(values, models, title), {
        headers: ["model", title, "right", "interval", "questions"],
        rows: () => values.map((value) => [value.model, value.bin, ...charts.figureRow(value)]),
        note: "Nothing is known about this for these questions.",
      });
    }
    const said = shown.flatMap((run) => saidCells(run, shown));
    charts.chart("chart-said", charts.saidChart(said, models), {
      headers: ["model", "right option", "option said", "questions"],
      rows: () => said.map((value) => [value.model, value.right, value.said, value.count]),
      note: "No right answers are known.",
    });
    costCharts(summary, pairRuns);
  }

  /* A cell for each right option and each that any of the models said, those without a question included. */
  function saidCells(run, shown) {
    const all = shown.flatMap((one) => one.said);
    const [rights, saids] = ["right", "said"].map((name) => [...new Set(all.map((cell) => cell[name]))]);
    const count = (right, said) => run.said.find((cell) => cell.right === right && cell.said === said)?.count ?? 0;
    return rights.flatMap((right) => {
      const total = saids.reduce((sum, said) => sum + count(right, said), 0);
      return saids.map((said) => ({ model: run.label, right, said, count: count(right, said), share: total ? count(right, said) / total : 0 }));
    });
  }

  function costCharts(summary, pairRuns) {
    const cost = (run, id) => (id === "chart-time" ? run.cost.seconds : (run.cost.input ?? 0) + (run.cost.output ?? 0));
    for (const [id, title] of [["chart-tokens", "tokens for each question"], ["chart-time", "seconds for each question"]]) {
      const values = summary.runs
        .filter((run) => run.micro && cost(run, id) > 0)
        .map((run) => ({ model: run.label, cost: cost(run, id), chosen: pairRuns.includes(run), ...run.micro }));
      charts.chart(id, charts.costChart(values, title), {
        headers: ["model", title, "right", "interval", "questions"],
        rows: () => values.map((value) => [value.model, value.cost.toPrecision(3), ...charts.figureRow(value)]),
        note: "The runs don't say.",
      });
    }
  }

  function show(state) {
    const summary = window.egocross.data.summary;
    pair.show(summary, state);
    const shown = shownRuns(summary, state);
    const pairRuns = summary.runs.length > 1 ? pair.chosen(summary, state).map((number) => summary.runs[number]) : summary.runs;
    shownBoxes(summary, shown);
    shownCharts(summary, shown, pairRuns);
  }

  function start() {
    const summary = window.egocross.data.summary;
    document.querySelectorAll("table.board").forEach((table) => {
      sortable(table);
      hinted(table);
    });
    pair.listen(summary);
    fixedCharts(summary);
  }

  Object.assign(window.egocross, { overview: { start, show } });
})();
