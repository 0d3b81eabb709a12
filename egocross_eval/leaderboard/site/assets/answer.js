/* One question: its frames, its options, and what each model said. */
"use strict";

(function () {
  const { h, badge, link, OUTCOMES } = window.egocross;

  function time(seconds) {
    if (seconds === null || seconds === undefined) return "no time";
    const rounded = Math.round(seconds * 10) / 10;
    if (rounded < 60) return `${rounded} s`;
    return `${Math.floor(rounded / 60)}:${String(Math.floor(rounded % 60)).padStart(2, "0")} min`;
  }

  function film(frames) {
    if (!frames.length) return h("p", { class: "quiet" }, "This question has no frames.");
    const pictures = frames.some(([, , thumbnail]) => thumbnail);
    const items = frames.map(([name, seconds, thumbnail], place) => {
      const label = time(seconds);
      if (!thumbnail) return h("li", { class: "blank", title: name }, h("span", { class: "quiet" }, `${place + 1}`), h("span", {}, label));
      const image = h("img", { src: `frames/${thumbnail}`, alt: `Frame ${place + 1}, at ${label}`, title: name, loading: "lazy", decoding: "async" });
      return h("li", {}, h("figure", {}, image, h("figcaption", {}, label)));
    });
    const strip = h("ol", { class: pictures ? "film" : "film bare", tabindex: 0, "aria-label": `${frames.length} frames in order of time` }, items);
    const hint = pictures ? null : h("p", { class: "quiet" }, "Pictures are left out of this site; the numbers are the frames' times.");
    return [strip, hint];
  }

  /* What can be said: the options, or of a question without any the right answer and what was said. */
  function sayable(question) {
    if (question.choices.length) return question.choices.map(([label, text]) => [label, text, question.answer.includes(label)]);
    const right = new Set(question.said.filter((said, run) => said !== null && question.outcomes[run] === "r"));
    const said = new Set([...question.answer, ...question.said.filter((one) => one !== null)]);
    return [...said].map((text) => ["", text, question.answer.includes(text) || right.has(text)]);
  }

  /* Each with the models that said it; what is right is marked. */
  function choices(question, list) {
    const free = !question.choices.length;
    const items = sayable(question).map(([label, text, right]) => {
      const voters = list.runs.filter((_, run) => question.said[run] === (free ? text : label)).map((run) => run.label);
      const who = voters.length > 4 ? `${voters.length} models` : voters.join(", ");
      return h(
        "li", { class: right ? "right" : null },
        h("span", { class: "letter" }, label), h("span", { class: "choice" }, text, right ? h("strong", { class: "is-right" }, " ✓ right answer") : null),
        h("span", { class: "who quiet", title: voters.join(", ") }, who ? `said by ${who}` : "said by none"),
      );
    });
    return h("ul", { class: "choices" }, items);
  }

  /* The raw output; what the answer was read from is marked. */
  function output(text, span) {
    if (text === "") return h("p", { class: "quiet" }, "The model said nothing (empty output).");
    const [start, end] = span ?? [0, 0];
    const parts = end > start ? [text.slice(0, start), h("mark", {}, text.slice(start, end)), text.slice(end)] : [text];
    return h("pre", { class: "output", tabindex: 0, "aria-label": "Raw output" }, parts);
  }

  function fold(summary, ...content) {
    return h("details", {}, h("summary", {}, summary), content);
  }

  function scores(values) {
    const rows = Object.entries(values).map(([label, value]) => h("tr", {}, h("th", { scope: "row" }, label), h("td", { class: "number" }, value.toFixed(3)), h("td", { class: "number" }, `${(100 * Math.exp(value)).toFixed(1)} %`)));
    return h("table", { class: "scores" }, h("caption", {}, "How likely the model found each option"), h("thead", {}, h("tr", {}, ["option", "log-probability", "probability"].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows));
  }

  function likeliest(values) {
    const ordered = Object.entries(values).sort(([, one], [, two]) => two - one);
    return ordered.map(([label, value]) => `${label} ${(100 * Math.exp(value)).toFixed(0)} %`).join(", ");
  }

  /* All answers of a method that asks several times. */
  function asks(values) {
    const heads = ["ask", "read", "which was there", "output"].map((text) => h("th", { scope: "col" }, text));
    const rows = values.map((ask) =>
      h(
        "tr", {},
        h("th", { scope: "row" }, ask.name || "–"), h("td", {}, ask.label ?? "–"), h("td", {}, ask.option ?? "–"),
        h("td", { class: "said" }, ask.failure ?? ask.text ?? (ask.scores ? likeliest(ask.scores) : ""), ask.reasoning ? fold("Its reasoning", ask.reasoning) : null),
      ),
    );
    const table = h("table", { class: "asks" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows));
    return fold(`${values.length} answers to this question`, h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "All answers" }, table));
  }

  function facts(answer, frames) {
    const [input, written] = answer.tokens ?? [];
    const found = [];
    if (answer.mark !== undefined) found.push(`mark ${Math.round(100 * answer.mark) / 100} of 5`);
    if (answer.rule) found.push(`read by the rule “${answer.rule}”`);
    if (answer.reason) found.push(answer.outcome === "n" ? `nothing read: ${answer.reason}` : answer.reason);
    if (answer.sent) found.push(answer.sent.length ? `was shown ${answer.sent.length} of ${frames} frames: ${answer.sent.map((place) => place + 1).join(", ")}` : "was shown no frame");
    if (input !== null && input !== undefined) found.push(`${input.toLocaleString("en")} tokens read`);
    if (written !== null && written !== undefined) found.push(`${written.toLocaleString("en")} written`);
    if (answer.seconds !== undefined) found.push(answer.cached ? "from the cache" : `${answer.seconds.toFixed(1)} s`);
    if (answer.finish === "length") found.push("cut off: the limit of tokens was reached");
    return h("p", { class: "quiet" }, found.join(" · "));
  }

  function card(run, answer, detail) {
    if (!answer) return h("li", { class: "answer" }, h("h4", {}, run.label), badge("-"));
    const said = answer.said ? h("span", { class: "said" }, "said ", h("strong", {}, answer.said)) : null;
    const partly = answer.credit ? `partly right, ${Math.round(100 * answer.credit)} % of the mark` : undefined;
    return h(
      "li", { class: `answer ${OUTCOMES[answer.outcome].kind}` },
      h("h4", {}, run.label), h("p", { class: "head" }, badge(answer.outcome, partly), " ", said),
      answer.failure ? h("p", { class: "failure" }, `${answer.failure[0]}: ${answer.failure[1]}`) : null,
      answer.text !== undefined ? output(answer.text, answer.span) : null,
      answer.scores ? scores(answer.scores) : null,
      answer.asks ? asks(answer.asks) : null,
      answer.reasoning ? fold("Its reasoning", h("pre", { class: "output", tabindex: 0 }, answer.reasoning)) : null,
      facts(answer, detail.frames.length),
    );
  }

  /* The model, if it was asked in these words, with the names of the asks if it wasn't in all. */
  function askedOf(label, answer, prompt) {
    if (!answer?.asks) return answer?.prompt === prompt ? [label] : [];
    const names = answer.asks.filter((ask) => ask.prompt === prompt).map((ask) => ask.name);
    if (!names.length) return [];
    return [names.length === answer.asks.length ? label : `${label} (${names.join(", ")})`];
  }

  function prompts(detail, list) {
    if (!detail.prompts.length) return null;
    const several = detail.prompts.length > 1;
    return fold(
      several ? `What was asked, in ${detail.prompts.length} ways` : "What was asked, word for word",
      detail.prompts.flatMap((messages, number) => {
        const asked = list.runs.flatMap((run, place) => askedOf(run.label, detail.answers[place], number));
        const head = several ? [h("p", { class: "quiet" }, `Asked of ${asked.join(", ")}`)] : [];
        return [...head, ...messages.flatMap(([role, text]) => [h("p", { class: "quiet" }, role), h("pre", { class: "output", tabindex: 0 }, text)])];
      }),
    );
  }

  /* Everything about a question; `named` holds the runs to be put first. */
  function view(question, detail, list, named) {
    const runs = list.runs.map((run, number) => ({ run, answer: detail.answers[number] }));
    runs.sort((one, two) => named.includes(two.run.slug) - named.includes(one.run.slug));
    const chips = [`#${question.id}`, ...question.titles, question.cluster ? `${list.cluster} ${question.cluster}` : "", `${question.frames} ${question.frames === 1 ? "frame" : "frames"}`];
    return [
      h("h2", {}, question.text),
      h("ul", { class: "chips", "aria-label": "About this question" }, chips.filter(Boolean).map((text) => h("li", {}, text))),
      h("h3", {}, "Frames"), film(detail.frames),
      h("h3", {}, question.choices.length ? "Options" : "Answers, in free words"), choices(question, list),
      question.answer.length ? detail.references.map(([name, text]) => h("p", { class: "quiet" }, `${name}: ${text}`)) : h("p", { class: "quiet" }, "The right answer isn't known here."),
      h("h3", {}, "What the models said"),
      h("ul", { class: "answers" }, runs.map(({ run, answer }) => card(run, answer, detail))),
      prompts(detail, list),
    ].flat().filter(Boolean);
  }

  function links(previous, next, state, place, total) {
    const to = (question, text, id) => (question ? h("a", { href: link("questions", { ...state, id: question.key }), id }, text) : h("span", { class: "quiet" }, text));
    return h(
      "div", { class: "step" },
      h("a", { href: link("questions", state), id: "back" }, "☰ All questions"),
      to(previous, "◀ Previous", "previous"), h("span", { class: "quiet" }, place < 0 ? "not among those found" : `${place + 1} of ${total}`), to(next, "Next ▶", "next"),
    );
  }

  Object.assign(window.egocross, { answer: { view, links } });
})();
