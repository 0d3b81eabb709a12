/* The charts, as Vega-Lite specifications. Vega interprets them without making code from text (`ast`), so that the
   page's security policy needs no exception. */
"use strict";

(function () {
  const { h, script, asTable, percent } = window.egocross;
  const drawn = new Map();
  const SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left"];

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  function palette() {
    return [1, 2, 3, 4, 5, 6, 7, 8].map((number) => colour(`series-${number}`));
  }

  function config() {
    const [text, quiet, line] = [colour("text"), colour("quiet"), colour("line")];
    const labels = { labelColor: text, titleColor: quiet, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" };
    return {
      background: "transparent",
      font: getComputedStyle(document.body).fontFamily,
      view: { stroke: null },
      axis: { ...labels, gridColor: line, domainColor: line, tickColor: line, labelLimit: 170 },
      legend: { ...labels, labelLimit: 300, orient: "bottom", columns: 2 },
      header: { labelColor: text, labelFontSize: 13, labelFontWeight: "bold", title: null, labelLimit: 260 },
      range: { category: palette() },
    };
  }

  /* Draws `make(width)` into the element when it comes into view, and again when the theme or its width changes. */
  function chart(id, make, { headers, rows, click, note } = {}) {
    const element = document.getElementById(id);
    if (!element) return;
    const figure = element.closest("figure");
    figure.querySelector(".astable")?.remove();
    if (headers) figure.append(asTable(headers, rows));
    drawn.get(id)?.observer.disconnect();
    const entry = { element, make, click, note, width: 0 };
    drawn.set(id, entry);
    entry.observer = new IntersectionObserver(
      (seen) => {
        if (!seen.some((one) => one.isIntersecting)) return;
        entry.observer.disconnect();
        draw(entry);
      },
      { rootMargin: "300px" },
    );
    entry.observer.observe(element);
  }

  async function draw(entry) {
    const { element, make, click } = entry;
    const width = Math.floor(element.clientWidth);
    if (!width) return;
    entry.width = width;
    const turn = (entry.turn = (entry.turn ?? 0) + 1);
    const spec = make(width);
    if (spec === null) {
      element.replaceChildren(h("p", { class: "quiet" }, entry.note ?? "Nothing to draw."));
      return;
    }
    try {
      await script("assets/charts-library.js");
      const place = h("div", {});
      const result = await window.egocrossCharts.embed(
        place,
        { $schema: "https://vega.github.io/schema/vega-lite/v6.json", config: config(), ...spec },
        { actions: false, ast: true, renderer: "svg", defaultStyle: false, tooltip: { disableDefaultStyle: true, theme: "custom" } },
      );
      if (turn !== entry.turn) return result.finalize();
      entry.result?.finalize();
      entry.result = result;
      element.replaceChildren(place);
      element.dataset.drawn = "yes";
      if (click) result.view.addEventListener("click", (event, item) => item?.datum && click(item.datum));
    } catch (error) {
      element.replaceChildren(h("p", { class: "notice" }, `This chart can't be drawn: ${error.message}`));
    }
  }

  function redraw() {
    for (const entry of drawn.values()) if (entry.width) draw(entry);
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  let timer = 0;
  window.addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const entry of drawn.values()) {
        if (entry.width && Math.abs(entry.element.clientWidth - entry.width) > 8) draw(entry);
      }
    }, 150);
  });

  const tip = (...fields) => fields.map(([field, title, format]) => ({ field, title, ...(format ? { format } : {}) }));
  const FIGURE_TIP = [["accuracy", "right", ".1%"], ["low", "interval from", ".1%"], ["high", "to", ".1%"], ["n", "questions"]];
  const share = (title, extra = {}) => ({
    field: "accuracy", type: "quantitative", axis: { format: ".0%", title, tickCount: 5, ...extra.axis }, scale: { zero: false, nice: true, ...extra.scale },
  });

  /* Points with intervals of a pair's difference, first less second, over all questions and by group. */
  function pairChart(looks, first, second) {
    const values = looks.map((look, order) => ({ ...look, order }));
    const reach = 1.05 * Math.max(0.02, ...values.flatMap((look) => [Math.abs(look.low), Math.abs(look.high)]));
    const x = (field) => ({ field, type: "quantitative", scale: { domain: [-100 * reach, 100 * reach], nice: false } });
    const points = values.map((look) => ({ ...look, low: 100 * look.low, high: 100 * look.high, difference: 100 * look.difference, sure: look.shown ? "shown" : "not shown" }));
    const colouring = { field: "sure", type: "nominal", scale: { domain: ["shown", "not shown"], range: [colour("accent"), colour("quiet")] }, legend: null };
    const y = { field: "name", type: "nominal", sort: { field: "order" }, title: null, axis: { ticks: false, domain: false, labelPadding: 8 } };
    const tooltip = tip(["name", "questions"], ["difference", "difference", "+.1f"], ["low", "from", "+.1f"], ["high", "to", "+.1f"], ["n", "number"]);
    return (width) => {
      const most = Math.max(16, Math.floor((width - 140) / 18) - 6);
      const cut = (name) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);
      const sides = [`◀ ${cut(second)} better`, `${cut(first)} better ▶`];
      return {
        description: `Difference between ${first} and ${second} in points, with 95 % intervals`,
        width,
        autosize: { type: "fit-x", contains: "padding" },
        height: 34 * points.length,
        data: { values: points },
        layer: [
          { mark: { type: "rule", size: 1.5 }, data: { values: [{ zero: 0 }] }, encoding: { x: { field: "zero", type: "quantitative" }, color: { value: colour("text") } } },
          { mark: { type: "rule", size: 3 }, encoding: { y, x: { ...x("low"), axis: { title: width < 420 ? sides : sides.join("\u2003\u2003\u2003"), tickCount: 7, format: "+.0f" } }, x2: { field: "high" }, color: colouring, tooltip } },
          { mark: { type: "point", filled: true, size: 110, opacity: 1 }, encoding: { y, x: x("difference"), color: colouring, shape: { field: "sure", type: "nominal", scale: { domain: ["shown", "not shown"], range: ["circle", "diamond"] }, legend: null }, tooltip } },
        ],
      };
    };
  }

  /* One panel for each group: a row for each model. */
  function partChart(values, order, axis) {
    const titles = axis.groups.map(([, title]) => title);
    const chance = titles.map((title) => ({ title, chance: values.find((value) => value.title === title)?.chance })).filter((one) => one.chance);
    const rows = values.map((value) => ({ ...value, base: chance.find((one) => one.title === value.title)?.chance }));
    return (width) => {
      const columns = Math.min(titles.length, width < 520 ? 1 : width < 900 ? 2 : 4);
      const y = { field: "model", type: "nominal", sort: order, title: null, axis: { ticks: false, domain: false } };
      const layer = [
        { mark: { type: "rule", size: 2.5, opacity: 0.55 }, encoding: { y, x: { field: "low", type: "quantitative", scale: { domain: [0, 1] } }, x2: { field: "high" }, tooltip: tip(["model", "model"], ...FIGURE_TIP) } },
        { mark: { type: "point", filled: true, size: 60, opacity: 1 }, encoding: { y, x: share("right", { scale: { domain: [0, 1] }, axis: { values: [0, 0.25, 0.5, 0.75, 1], title: null } }), tooltip: tip(["model", "model"], ...FIGURE_TIP) } },
      ];
      if (chance.length) layer.unshift({ mark: { type: "rule", strokeDash: [4, 4], size: 1 }, encoding: { x: { aggregate: "min", field: "base", type: "quantitative" }, color: { value: colour("quiet") } } });
      return {
        description: `Share answered right by ${axis.title} and model`,
        data: { values: rows },
        columns,
        facet: { field: "title", type: "nominal", sort: titles },
        spec: { width: Math.max(90, (width - 190 - 30 * (columns - 1)) / columns), height: { step: 18 }, encoding: { color: { value: colour("accent") } }, layer },
        resolve: { axis: { x: "independent" } },
      };
    };
  }

  function heatColours() {
    return { range: [colour("heat-low"), colour("heat-high")], domain: [0, 1], interpolate: "lab" };
  }

  function inkOn(field) {
    return { condition: { test: `datum.${field} > ${colour("heat-turn")}`, value: colour("heat-ink-high") }, value: colour("heat-ink-low") };
  }

  /* Models by groups of questions. */
  function groupChart(values, order, axis) {
    const titles = axis.groups.map(([, title]) => title);
    return (width) => {
      const cell = Math.max(40, Math.min(64, (width - 200) / titles.length));
      const encoding = {
        x: { field: "title", type: "nominal", sort: titles, title: null, axis: { orient: "top", labelAngle: -38, labelAlign: "left", labelLimit: 260, domain: false, ticks: false, grid: false } },
        y: { field: "model", type: "nominal", sort: order, title: null, axis: { domain: false, ticks: false } },
        tooltip: tip(["model", "model"], ["title", axis.title], ...FIGURE_TIP),
      };
      return {
        description: `Percent answered right by model and ${axis.title}`,
        width: cell * titles.length,
        height: { step: 25 },
        data: { values },
        encoding,
        layer: [
          { mark: { type: "rect", cursor: "pointer", stroke: colour("card"), strokeWidth: 1.5 }, encoding: { color: { field: "accuracy", type: "quantitative", scale: heatColours(), legend: { title: "right", format: ".0%", tickCount: 5, orient: "bottom", direction: "horizontal", gradientLength: 160 } } } },
          { mark: { type: "text", fontSize: 11.5, cursor: "pointer" }, encoding: { text: { field: "percent" }, color: inkOn("accuracy") } },
        ],
      };
    };
  }

  /* Lines over bins, a colour and a shape for each model. */
  function binChart(values, models, title) {
    const bins = [...new Map(values.map((value) => [value.bin, value.order])).entries()].sort((a, b) => a[1] - b[1]).map(([bin]) => bin);
    if (!bins.length) return () => null;
    const series = { field: "model", type: "nominal", sort: models, title: null, scale: { domain: models } };
    const encoding = (width) => ({
      x: { field: "bin", type: "ordinal", sort: bins, title, axis: { labelAngle: width < 420 ? -40 : 0, grid: false } },
      xOffset: { field: "model", sort: models, scale: { domain: models, paddingOuter: 1.2 } },
      color: series,
    });
    return (width) => ({
      description: `Share answered right by ${title}`,
      width,
      autosize: { type: "fit-x", contains: "padding" },
      height: 230,
      data: { values },
      encoding: encoding(width),
      layer: [
        { mark: { type: "rule", size: 2, opacity: 0.6 }, encoding: { y: { field: "low", type: "quantitative" }, y2: { field: "high" } } },
        { mark: { type: "line", size: 1.5, opacity: 0.7 }, encoding: { y: share("right") } },
        { mark: { type: "point", filled: true, size: 75, opacity: 1 }, encoding: { y: share("right"), shape: { ...series, scale: { domain: models, range: SHAPES } }, tooltip: tip(["model", "model"], ["bin", title], ...FIGURE_TIP) } },
      ],
      config: { ...config(), legend: { ...config().legend, columns: width < 420 ? 1 : 2 } },
    });
  }

  /* A small square for each model: right option by option said. */
  function saidChart(values, models) {
    if (!values.length) return () => null;
    const said = [...new Set(values.map((value) => value.said))].sort((a, b) => (a === "none") - (b === "none") || (a < b ? -1 : 1));
    return (width) => ({
      description: "Right option against the option said, by model",
      data: { values },
      columns: Math.max(1, Math.min(models.length, Math.floor(width / 280))),
      facet: { field: "model", type: "nominal", sort: models },
      spec: {
        width: { step: 44 },
        height: { step: 34 },
        encoding: {
          x: { field: "said", type: "nominal", sort: said, title: "option said", axis: { labelAngle: 0, domain: false, ticks: false, grid: false } },
          y: { field: "right", type: "nominal", title: "right option", axis: { domain: false, ticks: false } },
          tooltip: tip(["model", "model"], ["right", "right option"], ["said", "option said"], ["count", "questions"], ["share", "of that right option", ".0%"]),
        },
        layer: [
          { mark: { type: "rect", stroke: colour("card"), strokeWidth: 1.5 }, encoding: { color: { field: "share", type: "quantitative", scale: heatColours(), legend: null } } },
          { mark: { type: "text", fontSize: 12 }, encoding: { text: { field: "count" }, color: inkOn("share") } },
        ],
      },
      resolve: { axis: { x: "independent", y: "independent" } },
    });
  }

  /* Accuracy against what it costs; the chosen models are named. */
  function costChart(values, title) {
    if (!values.length) return () => null;
    const costs = values.map((value) => value.cost);
    const wide = Math.max(...costs) > 30 * Math.min(...costs);
    const x = { field: "cost", type: "quantitative", title: wide ? `${title} (each step tenfold)` : title, scale: wide ? { type: "log" } : { zero: false, nice: true, padding: 12 }, axis: { tickCount: 5, format: Math.max(...costs) < 1 ? "~g" : Math.max(...costs) < 1000 ? ",.2~f" : "~s" } };
    const few = values.length <= 5;
    const named = values.filter((value) => value.chosen || few);
    const right = "scale('x', datum.cost) > width / 2";
    const chosen = { condition: { test: "datum.chosen", value: colour("accent") }, value: colour("quiet") };
    const tooltip = tip(["model", "model"], ["cost", title, ",.2~f"], ...FIGURE_TIP);
    return (width) => ({
      description: `Share answered right against ${title}`,
      width,
      autosize: { type: "fit-x", contains: "padding" },
      height: 270,
      data: { values },
      encoding: { x, color: chosen },
      layer: [
        { mark: { type: "rule", size: 2, opacity: 0.45 }, encoding: { y: { field: "low", type: "quantitative" }, y2: { field: "high" } } },
        { mark: { type: "point", filled: true, size: 80, opacity: 1 }, encoding: { y: share("right"), shape: { condition: { test: "datum.chosen", value: "diamond" }, value: "circle" }, tooltip } },
        { data: { values: named }, mark: { type: "text", align: { expr: `${right} ? 'right' : 'left'` }, dx: { expr: `${right} ? -9 : 9` }, dy: -9, fontWeight: "bold", limit: (width - 62) / 2 - 12 }, encoding: { y: share("right"), text: { field: "model" }, color: { value: colour("text") } } },
      ],
    });
  }

  const figureRow = (value) => [percent(value.accuracy), `${percent(value.low)} to ${percent(value.high)}`, value.n];
  Object.assign(window.egocross, {
    charts: { chart, pairChart, partChart, groupChart, binChart, saidChart, costChart, figureRow },
  });
})();
