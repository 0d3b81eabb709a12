/* Elements and texts. Text from runs is only ever put in as text, never as markup. */
"use strict";

(function () {
  const OUTCOMES = {
    r: { mark: "✓", word: "right", kind: "right" },
    w: { mark: "✗", word: "wrong", kind: "wrong" },
    p: { mark: "~", word: "partly right", kind: "partly" },
    n: { mark: "?", word: "not parsed", kind: "unread" },
    f: { mark: "⊘", word: "filtered", kind: "filtered" },
    e: { mark: "!", word: "failed", kind: "failed" },
    u: { mark: "·", word: "no known answer", kind: "unknown" },
    "-": { mark: "–", word: "not asked", kind: "unknown" },
  };

  /* h("p", {class: "x", onclick: f}, "text", child): attributes, listeners, and children that are elements or text. */
  function h(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : String(value));
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  }

  function percent(share, digits = 1) {
    return `${(100 * share).toFixed(digits)} %`;
  }

  function options(select, choices, chosen) {
    select.replaceChildren(...choices.map(([value, text]) => h("option", { value }, text)));
    select.value = chosen ?? "";
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  }

  /* A table of what a chart draws, for those who can't see it; filled in when it's opened. */
  function asTable(headers, rows) {
    const details = h("details", { class: "astable" }, h("summary", {}, "The same as a table"));
    details.addEventListener("toggle", () => {
      if (!details.open || details.children.length > 1) return;
      const head = h("tr", {}, headers.map((text) => h("th", { scope: "col" }, text)));
      const body = rows().map((row) =>
        h("tr", {}, row.map((text, i) => h(i ? "td" : "th", i ? {} : { scope: "row" }, String(text)))),
      );
      const table = h("table", {}, h("thead", {}, head), h("tbody", {}, body));
      details.append(h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table" }, table));
    });
    return details;
  }

  function badge(code, text) {
    const outcome = OUTCOMES[code];
    return h("span", { class: `badge ${outcome.kind}` }, h("span", { "aria-hidden": true }, `${outcome.mark} `), text ?? outcome.word);
  }

  Object.assign(window.egocross, { h, percent, options, asTable, badge, OUTCOMES });
})();
