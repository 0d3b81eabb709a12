"""Strategy files: the last rule that matches counts, faults are named with their line, and a run keeps what it used."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval import EGOCROSS, ModelAdapter, Request, Response, Run, RunKeywords, UsageError, evaluate
from egocross_eval.cli.main import cli
from egocross_eval.contracts.registry import registry
from egocross_eval.leaderboard.derived import grade_again
from egocross_eval.model_adapters.spec import parse_spec
from egocross_eval.runs.options import RunOptions, options_from
from egocross_eval.runs.plan import RunPlan, check_model, plan_run
from egocross_eval.runs.probes import options_of
from egocross_eval.runs.store import RunFolder
from egocross_eval.runs.strategy import SETTINGS, named_strategies, read_strategy, treatment
from egocross_eval.schema import Rule, Strategy

FILE = """
    description: a test
    rules:
      - frames: uniform:8
        timestamps: true
      - for: {domain: [animal, xsports]}
        frames: uniform:4
        method: rotate
      - for: {domain: animal, question_type: animal identification}
        method: {name: verify, chunks: 2, words: "Is it, {option}?"}
        shots: 1
        text: "{{ frames }}{{ question }} ({{ domain }})\\n{{ option_block }}"
"""


def written(folder: Path, text: str = FILE) -> Path:
    path = folder / "mine.yaml"
    path.write_text(textwrap.dedent(text))
    return path


def planned(data: Path, strategy: Path | str, **keywords: object) -> RunPlan:
    given: RunKeywords = {"data": data, "split": "demo", "strategy": str(strategy), **keywords}  # type: ignore[typeddict-item]
    return plan_run(options_from(**given), registry())


def made(plan: RunPlan, question_type: str, domain: str) -> RunOptions:
    question = next(
        q for q in plan.questions if q.label("question_type") == question_type and q.label("domain") == domain
    )
    return plan.approach(question).options


def test_of_the_rules_that_match_the_last_that_sets_something_counts(demo: Path, tmp_path: Path) -> None:
    plan = planned(demo, written(tmp_path))
    surgery = made(plan, "object counting", "surgery")
    assert (surgery.prompt.frames, surgery.prompt.timestamps, surgery.method) == ("uniform:8", True, "once")
    sports = made(plan, "sport identification", "xsports")
    assert (sports.prompt.frames, sports.prompt.timestamps, sports.method) == ("uniform:4", True, "rotate")
    animal = made(plan, "animal identification", "animal")
    assert animal.method == "verify,chunks=2,words=Is it\\, {option}?"
    assert (animal.prompt.frames, animal.shots) == ("uniform:4", "1")
    prompt = plan.approach(plan.questions[0]).renderer
    assert prompt.style.name == "letter"
    assert plan.settings.strategy is not None
    assert plan.settings.strategy.description == "a test"


def test_an_option_that_is_given_counts_before_the_strategy_also_at_its_default(demo: Path, tmp_path: Path) -> None:
    path = written(tmp_path)
    blind = planned(demo, path, frames="none", timestamps=False)
    assert {plan.options.prompt.frames for plan, _ in blind.approaches.groups(blind.questions)} == {"none"}
    assert {plan.options.prompt.timestamps for plan, _ in blind.approaches.groups(blind.questions)} == {False}
    whole = planned(demo, path, frames="all", method="once", style="letter", shots="")
    for approach, _ in whole.approaches.groups(whole.questions):
        assert approach.options.prompt.frames == "all"
        assert approach.options.method == "once"
        assert approach.renderer.style.name == "letter"
        assert approach.renderer.shots is None


_names = st.sampled_from(["a", "b", "c"])
_rules = st.lists(
    st.builds(
        Rule,
        match=st.dictionaries(_names, st.lists(st.sampled_from("xyz"), min_size=1).map(tuple)),
        settings=st.dictionaries(st.sampled_from(["max_pixels", "seed", "max_new_tokens"]), st.integers(1, 9)),
    )
)


@given(_rules, st.dictionaries(_names, st.sampled_from("xyz")), st.sets(st.sampled_from(["seed", "max_pixels"])))
def test_each_setting_is_that_of_its_last_rule_and_nothing_given_changes(
    rules: list[Rule], labels: dict[str, str], fixed: set[str]
) -> None:
    strategy = Strategy(name="s", rules=tuple(rules))
    found = treatment(RunOptions(), strategy, labels, frozenset(fixed)).options
    for part, name, default in (
        (found.prompt, "max_pixels", None),
        (found.generation, "seed", 0),
        (found.generation, "max_new_tokens", 1024),
    ):
        expected = default
        for rule in rules:
            matches = all(labels.get(label, "") in values for label, values in rule.match.items())
            if matches and name in rule.settings and name not in fixed:
                expected = rule.settings[name]
        assert getattr(part, name) == expected


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ("- frmes: all", "line 2: unknown setting 'frmes' (did you mean 'frames'?)"),
        ("- style: letter\n- for: {domain: animal}\n  frames: unifrm:8", "line 4: --frames 'unifrm:8' is none of"),
        ("- method: verfy", "line 2: unknown method 'verfy' (did you mean 'verify'?)"),
        (
            "- method: {name: verify, chunk: 4}",
            "line 2: --method verify: unknown option 'chunk' (did",
        ),
        ("- style: leter", "line 2: unknown prompt style 'leter' (did you mean 'letter'?)"),
        ("- shots: 4:feedbak", "line 2: --shots '4:feedbak' is none of"),
        ("- max_pixels: many", "line 2: --max-pixels 'many': it must be a whole number"),
        ("- timestamps: 1", "line 2: --timestamps 1: it must be true or false"),
        ("- answer: chose", "line 2: unknown value of --answer: 'chose' (did you mean 'choose'?)"),
        ("- text: '{{ question'", "line 2: its template, line 1"),
        ("- for: surgery\n  frames: all", "line 2: 'for' is a mapping"),
        ("- model: 'openai:gpt,api_key=x'", "line 2: model spec for openai: 'api_key' would write a secret"),
        ("- for: {domian: animal}\n  frames: all", "line 2: unknown label 'domian' (did you mean 'domain'?)"),
        (
            "- for: {domain: anmal}\n  frames: all",
            "line 2: no question has the domain 'anmal' (did you",
        ),
        ("- shuffled: true\n  timestamps: true", "the rule in line 2, for domain"),
        ("frames: all", "line 1: 'rules' is a mapping, not a list"),
        ("- max-pixels: 1000\n  max_pixels: 2000", "line 3: 'max_pixels' is there twice, first as 'max-pixels'"),
        (
            "- for: {domain: animal}\n  model: basline:chance",
            "line 3: unknown model adapter 'basline' (did you mean 'b",
        ),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(rules: str, says: str, demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("rules:\n" + textwrap.indent(rules, "  "))
    with pytest.raises(UsageError) as caught:
        planned(demo, path)
    assert f"strategy {path}, {says}" in str(caught.value)


def test_a_field_that_is_misspelt_is_answered_with_those_that_there_are(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("description: x\nrule:\n  - frames: all\n")
    with pytest.raises(UsageError, match=r"mine.yaml, line 2: there is an unknown field 'rule' \(did you mean 'rules'"):
        planned(demo, path)


def test_a_model_that_a_rule_misspells_is_named_with_file_and_line(demo: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("rules:\n  - for: {domain: animal}\n    model: baseline:lngest\n")
    plan = planned(demo, path)
    with pytest.raises(UsageError, match=r"strategy .*mine.yaml, line 2: unknown baseline 'lngest' \(did you mean 'lo"):
        check_model(plan, parse_spec("baseline:chance"), registry())


def test_rules_that_change_nothing_are_named(demo: Path, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        rules:
          - for: {domain: surgery}
            frames: uniform:2
          - frames: uniform:3
          - for: {domain: animal}
            frames: uniform:4
          - for: {domain: animal, category: Identification}
            timestamps: true
        """,
    )
    notes = [w for w in planned(demo, path, tasks="surgery,animal").warnings if w.startswith("strategy")]
    assert notes == ["strategy mine: later rules or given options hide all of the rule in line 3"]
    notes = [w for w in planned(demo, path, tasks="industry").warnings if w.startswith("strategy")]
    assert notes == ["strategy mine: no question of this run matches the rules in lines 3, 6, 8"]


def test_a_rule_that_sets_nothing_is_named_unless_it_stands_for_the_plain_way(demo: Path, tmp_path: Path) -> None:
    path = written(tmp_path, "rules:\n  - {}\n  - for: {domain: animal}\n")
    notes = [w for w in planned(demo, path).warnings if w.startswith("strategy")]
    assert notes == ["strategy mine: nothing is set by the rule in line 3"]
    (tmp_path / "plain.yaml").write_text("rules:\n- {}\n")
    assert not [w for w in planned(demo, tmp_path / "plain.yaml").warnings if w.startswith("strategy")]


def test_an_argument_that_is_written_as_an_option_is_told_where_it_stands(tmp_path: Path) -> None:
    path = written(tmp_path, "rules:\n  - method: {name: sample, argument: 5}\n")
    with pytest.raises(
        UsageError, match=r"line 2: --method sample: it has no option 'argument'; N stands behind a colon"
    ):
        read_strategy(path, registry())


@pytest.mark.parametrize("style", ["json", "other.j2"])
def test_a_rule_with_a_style_and_a_text_is_refused(style: str, tmp_path: Path) -> None:
    (tmp_path / "other.j2").write_text("{{ frames }}{{ question }}{{ option_block }}")
    for first, second in (("style", "text"), ("text", "style")):
        said = {"style": style, "text": "{{ frames }}{{ question }}{{ option_block }}!"}
        lines = f"rules:\n  - {first}: '{said[first]}'\n    {second}: '{said[second]}'\n"
        with pytest.raises(UsageError, match=r"mine.yaml, line 3: 'style' and 'text' both say which words"):
            read_strategy(written(tmp_path, lines), registry())


TEXT = "{{ frames }}{{ question }}\\n{{ option_block }}"
SYSTEM = "{% set system = 'Look well.' %}" + TEXT


@pytest.mark.parametrize(
    ("rules", "unused"),
    [
        (f'- {{text: "{TEXT}", method: verify}}', "line 2 are not shown: --method verify has words of its own"),
        ("- {style: challenge, method: roles}", "line 2 are not shown: --method roles has words of its own"),
        (f'- {{text: "{TEXT}", method: reflect}}', ""),
        (f'- {{text: "{TEXT}", method: rotate}}', ""),
        (f'- {{text: "{SYSTEM}", method: verify}}', ""),
        ("- {style: challenge, method: verify, shots: '1:covered'}", ""),
        (f'- text: "{TEXT}"\n  - {{for: {{domain: animal}}, method: verify}}', ""),
        (
            f'- {{text: "{TEXT}", method: verify}}\n  - {{for: {{domain: animal}}, method: pairwise}}',
            "line 2 are not shown: --method verify and pairwise have words of their own",
        ),
    ],
)
def test_words_that_no_request_shows_are_named(rules: str, unused: str, demo: Path, tmp_path: Path) -> None:
    path = written(tmp_path, f"rules:\n  {rules}\n")
    found = [note for note in planned(demo, path).warnings if "not shown" in note]
    assert found == ([f"strategy mine: the words of the rule in {unused}"] if unused else [])


def test_a_given_style_that_a_method_does_not_use_is_named(demo: Path) -> None:
    def notes(**given: object) -> list[str]:
        plan = plan_run(options_from(data=demo, split="demo", **given), registry())
        return [note for note in plan.warnings if "not shown" in note]

    unused = "--style challenge: its words are not shown: --method pairwise has words of its own"
    assert notes(method="pairwise", style="challenge") == [unused]
    assert notes(method="rotate", style="challenge") == notes(method="pairwise") == []


def test_many_rules_are_read_against_the_questions_in_no_time(demo: Path) -> None:
    """Once for each kind of question, and not once more for each rule."""
    match: dict[str, tuple[str, ...]] = {"domain": ("animal",)}
    rules = tuple(Rule(match=match, settings={"timestamps": bool(n % 2)}, line=n) for n in range(1, 5001))
    begun = time.process_time()
    plan = plan_run(
        options_from(RunOptions(rules=Strategy(name="long", rules=rules)), data=demo, split="demo"), registry()
    )
    assert time.process_time() - begun < 10, "it takes minutes where each rule is held against all others"
    (note,) = [note for note in plan.warnings if note.startswith("strategy long")]
    assert note.endswith("lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 and 4,979 more")


@pytest.mark.parametrize("split", ["demo", "support"])
def test_no_note_is_told_twice(split: str, demo: Path) -> None:
    for name in named_strategies(EGOCROSS):
        notes = planned(demo, name, split=split).warnings
        assert len(notes) == len(set(notes))


def test_what_a_rule_asks_and_cannot_have_names_its_line(demo: Path, tmp_path: Path) -> None:
    rules = "rules:\n  - timestamps: true\n  - for: {domain: animal}\n    method: locate\n"
    with pytest.raises(UsageError, match=r"strategy .*mine.yaml, line 3: --method locate: options of .* are no times"):
        planned(demo, written(tmp_path, rules))


def test_an_unknown_name_is_answered_with_those_that_there_are(demo: Path) -> None:
    with pytest.raises(UsageError, match=r"no strategy 'omnigo' \(did you mean 'omniego'\?\); known: challenge, "):
        planned(demo, "omnigo")


@pytest.mark.parametrize("name", named_strategies(EGOCROSS))
def test_every_strategy_of_the_package_plans_all_questions_without_a_hidden_rule(name: str, demo: Path) -> None:
    plan = planned(demo, name)
    assert plan.settings.strategy is not None
    assert plan.settings.strategy.name == name
    assert plan.settings.strategy.description
    assert not [note for note in plan.warnings if note.startswith("strategy")]


def run_with(data: Path, folder: Path, strategy: Path | str, **keywords: object) -> Run:
    given: RunKeywords = {
        "data": data,
        "split": "demo",
        "strategy": str(strategy),
        "cache": False,
        **keywords,  # type: ignore[typeddict-item]
    }
    return evaluate("baseline:chance", output=folder, **given)


def test_a_run_keeps_its_strategy_and_can_be_graded_and_probed_without_the_file(demo: Path, tmp_path: Path) -> None:
    path = written(tmp_path)
    run = run_with(demo, tmp_path / "run", path, tasks="animal", answer="generate")
    kinds = {s.question.label("question_type"): len(s.answers) for s in run.samples}
    assert kinds["animal identification"] > 4
    assert kinds["interaction identification"] == 4
    before = run.samples
    path.unlink()
    assert grade_again(RunFolder(run.path), {}, registry()) == 0
    assert run.samples == before
    again = plan_run(options_of(run.record, data=demo), registry())
    assert again.settings.strategy == run.record.settings.strategy
    blind = plan_run(options_of(run.record, data=demo, frames="none", timestamps=False), registry())
    assert {one.options.prompt.frames for one, _ in blind.approaches.groups(blind.questions)} == {"none"}


def test_a_run_goes_on_with_a_strategy_of_the_same_content_alone(demo: Path, tmp_path: Path) -> None:
    path = written(tmp_path)
    run_with(demo, tmp_path / "run", path, tasks="animal")
    path.write_text("# moved a line\n" + path.read_text())
    assert run_with(demo, tmp_path / "run", path, tasks="animal").results.complete
    path.write_text(path.read_text().replace("uniform:4", "uniform:5"))
    with pytest.raises(UsageError, match=r"strategy: 'mine \(\w{12}\)' there, 'mine \(\w{12}\)' now"):
        run_with(demo, tmp_path / "run", path, tasks="animal")


def test_a_run_with_shots_goes_on_with_the_same_where_covered_and_so_with_the_packages_own_rules(
    demo: Path, tmp_path: Path
) -> None:
    """`reflective-dialogue` as it was before shots could be asked for where they are covered."""
    path = tmp_path / "reflective-dialogue.yaml"
    path.write_text(
        "rules:\n- {timestamps: true, shots: '3:feedback'}\n"
        "- {for: {domain: industry, question_type: dominant held-object identification}, shots: 0}\n"
        "- {for: {domain: surgery, question_type: action temporal localization}, shots: 0}\n"
    )
    plain = run_with(demo, tmp_path / "run", path, split="demo")
    assert run_with(demo, tmp_path / "run", "reflective-dialogue").results.complete
    assert {way.shots for way in plain.record.settings.ways} == {"3:feedback", "0"}
    path.write_text(path.read_text().replace("3:feedback", "2:feedback:covered"))
    with pytest.raises(UsageError, match=r"shots: \('3:feedback', '0'\) there, \('2:feedback', '0'\) now"):
        run_with(demo, tmp_path / "run", path)


def test_a_template_file_is_read_beside_the_strategy_and_kept_in_it(tmp_path: Path) -> None:
    (tmp_path / "words.j2").write_text("{{ frames }}{{ question }}{{ option_block }}")
    strategy = read_strategy(written(tmp_path, "rules:\n  - style: words.j2\n"), registry())
    assert strategy.rules[0].settings == {"text": "{{ frames }}{{ question }}{{ option_block }}"}
    again = msgspec.json.decode(msgspec.json.encode(strategy), type=Strategy)
    assert again.hash == strategy.hash


def test_questions_go_to_the_model_that_their_rule_names(demo: Path, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        rules:
          - for: {domain: animal}
            model: baseline:constant,letter=B
          - for: {domain: animal, question_type: animal identification}
            model: baseline:constant,letter=C
        """,
    )
    run = evaluate(
        "baseline:constant,letter=A", data=demo, split="demo", output=tmp_path / "run", strategy=str(path), cache=False
    )
    said = {(s.question.label("domain"), s.question.label("question_type")): s.decision.label for s in run.samples}
    assert {letter for (domain, _), letter in said.items() if domain != "animal"} == {"A"}
    assert said["animal", "interaction identification"] == "B"
    assert said["animal", "animal identification"] == "C"
    assert run.record.model.details["routes"]["default"] == "baseline:constant,letter=A"

    class Own(ModelAdapter):
        def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
            yield from ()

    with pytest.raises(UsageError, match="names models: give the run's model as a spec"):
        evaluate(Own(), data=demo, split="demo", output=tmp_path / "own", strategy=str(path))


def test_show_tells_the_rules_and_settings_of_a_question(demo: Path, tmp_path: Path) -> None:
    path = written(tmp_path)
    arguments = ["show", "31", "--data", str(demo), "--split", "demo", "--strategy", str(path)]
    shown = CliRunner().invoke(cli, arguments)
    assert shown.exit_code == 0, shown.output
    text = " ".join(shown.output.split())
    assert "strategy: mine (" in text
    assert "frames uniform:4 (line" in text
    assert "requests:" in text


def test_show_tells_programs_all_that_it_tells_people(demo: Path, tmp_path: Path) -> None:
    rules = """
        rules:
          - frames: uniform:2
          - for: {domain: surgery}
            timestamps: true
            method: rotate
    """
    arguments = ["--data", str(demo), "--split", "demo", "--strategy", str(written(tmp_path, rules)), "--shots", "1"]
    document = CliRunner().invoke(cli, ["show", "5", *arguments, "--format", "json"])
    assert document.exit_code == 0, document.output
    told = json.loads(document.stdout)
    assert (told["question"]["id"], told["question"]["labels"]["domain"]) == (5, "surgery")
    assert (told["method"], told["first_requests"], told["most_requests"]) == ("rotate", 4, 4)
    assert told["strategy"].startswith("mine (")
    assert told["rules"] == [3, 4]
    assert {(one["name"], one["value"], one["line"]) for one in told["settings"]} == {
        ("frames", "uniform:2", 3),
        ("timestamps", True, 4),
        ("method", "rotate", 4),
        ("shots", "1", None),
    }
    assert len(told["frames_sent"]) == 4
    assert all(one["time"] is not None and one["bytes"] > 0 and not one["fault"] for one in told["frames_sent"])

    text = " ".join(CliRunner().invoke(cli, ["show", "5", *arguments]).output.split())
    for said in ("strategy: mine (", "line 3, line 4", "timestamps True (line 4)", "requests: 4 in the first round"):
        assert said in text
    for one in told["frames_sent"]:
        assert f"{one['time']:.2f} s {one['width']}x{one['height']} {one['bytes']:,}" in text


def test_everything_that_a_prompt_or_generation_setting_is_can_stand_in_a_rule() -> None:
    from egocross_eval.settings import GenerationSettings, PromptSettings
    from egocross_eval.settings import options_of as fields

    assert {known.name for part in (PromptSettings, GenerationSettings) for known in fields(part)} < set(SETTINGS)
