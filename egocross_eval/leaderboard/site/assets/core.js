/* Data and addresses: what the other scripts share. Every script is a function of its own; `egocross` is the only name. */
"use strict";

window.egocross = (function () {
  const data = {};
  const loading = {};

  /* Called by the data files. */
  function put(name, value) {
    data[name] = value;
  }

  /* Loads a script once; pages opened from disk can't fetch files, but they can load scripts. */
  function script(path) {
    loading[path] ??= new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = path;
      element.onload = () => resolve();
      element.onerror = () => {
        delete loading[path];
        reject(new Error(`can't load ${path}: is the folder complete?`));
      };
      document.head.append(element);
    });
    return loading[path];
  }

  async function load(name) {
    if (!(name in data)) await script(`data/${name}.js`);
    return data[name];
  }

  /* The address after #: a page and its state, e.g. #/questions?run=base&id=7. */
  function address() {
    const [page, query = ""] = location.hash.replace(/^#/, "").split(/\?(.*)/s);
    return { page: page === "/questions" ? "questions" : "overview", state: new URLSearchParams(query) };
  }

  function link(page, state) {
    const kept = Object.entries(state).filter(([, value]) => value !== "" && value !== null && value !== undefined);
    const query = new URLSearchParams(kept).toString();
    return `#/${page === "questions" ? "questions" : ""}${query ? `?${query}` : ""}`;
  }

  /* Changes the address without a new entry in the history, and tells the pages. */
  function replace(page, state) {
    history.replaceState(null, "", link(page, state));
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  }

  return { data, put, script, load, address, link, replace };
})();
