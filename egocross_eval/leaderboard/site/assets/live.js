/* How the runs stand, while they are under way: the live server adds this script to the page. */
"use strict";

(function () {
  const { h, data, script } = window.egocross;
  const EVERY = 2000;
  const box = h("section", { class: "card", id: "live", "aria-label": "Progress", "aria-live": "off" });
  let made = null;
  let looks = 0;

  function time(seconds) {
    if (seconds < 90) return `${Math.round(seconds)} s`;
    return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
  }

  function row({ status, error }) {
    const rate = status.rate === null ? "" : `${Number(status.rate.toPrecision(3))} a second`;
    const left = status.seconds_left === null ? "" : `about ${time(status.seconds_left)} left`;
    const failed = Object.entries(status.failures).map(([kind, count]) => `${count} ${kind}`).join(", ");
    const cells = [status.name, error ? "broken" : status.state, status.total ? `${status.done} of ${status.total}` : "",
      [rate, left].filter(Boolean).join(", "), [failed && `failed: ${failed}`, status.waits, error].filter(Boolean).join("; ")];
    return h("tr", { "data-state": status.state }, cells.map((text, i) => h(i ? "td" : "th", i ? {} : { scope: "row" }, text)));
  }

  function show(found) {
    const head = h("tr", {}, ["Run", "State", "Answered", "Speed", "Remarks"].map((text) => h("th", { scope: "col" }, text)));
    const table = h("table", {}, h("thead", {}, head), h("tbody", {}, found.runs.map(row)));
    box.replaceChildren(h("h2", {}, "Under way"), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Progress" }, table));
  }

  /* The address holds the state of the page, so nothing is lost by a reload; what is being typed would be. */
  function busy() {
    return document.activeElement?.matches("input, select, textarea") || document.querySelector("dialog[open]") !== null;
  }

  async function look() {
    try {
      await script(`data/status.js?${looks++}`);
      const found = data.status;
      if (made !== null && found.made !== made && !busy()) return location.reload();
      made ??= found.made;
      show(found);
      box.dataset.lost = "";
    } catch {
      box.dataset.lost = "yes";
      box.replaceChildren(h("p", { class: "notice" }, "The server has ended: this is what it showed last."));
    }
    for (const old of document.querySelectorAll('script[src*="status.js?"]')) old.remove();
    setTimeout(look, EVERY);
  }

  document.getElementById("content").prepend(box);
  look();
})();
