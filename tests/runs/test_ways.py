"""Where a strategy says how questions are asked, that is what rows, comparisons, trackers and exports tell."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from egocross_eval import Run, RunKeywords, UsageError, evaluate, export_run, load_run
from egocross_eval.contracts.registry import registry
from egocross_eval.interop.trackers.following import flat_settings
from egocross_eval.leaderboard.derived import derive
from egocross_eval.leaderboard.rows import row_from_run
from egocross_eval.scoring.differing import differing

ALIKE = """\
rules:
  - frames: uniform:1
    max_pixels: 8192
    style: challenge
    answer: choose
    max_new_tokens: 7
"""

BY_DOMAIN = """\
rules:
  - frames: uniform:1
    style: challenge
  - for: {domain: animal}
    frames: uniform:2
    method: rotate
  - for: {domain: surgery}
    frames: tail:3
"""


def asked(data: Path, output: Path, **keywords: object) -> Run:
    given: RunKeywords = {"split": "demo", "data": data, "output": output, "cache": False, **keywords}  # type: ignore[typeddict-item]
    return evaluate("baseline:longest", **given)


def by_strategy(data: Path, output: Path, rules: str, **keywords: object) -> Run:
    file = output.with_suffix(".yaml")
    file.write_text(rules)
    return asked(data, output, strategy=str(file), **keywords)


def settings(run: Run) -> dict[str, str]:
    return row_from_run(run.record, run.results, source="run", origin_hash="").settings


@pytest.fixture
def alike(demo: Path, tmp_path: Path) -> Run:
    return by_strategy(demo, tmp_path / "strategy", ALIKE, tasks="animal")


@pytest.fixture
def of_domains(demo: Path, tmp_path: Path) -> Run:
    return by_strategy(demo, tmp_path / "domains", BY_DOMAIN, tasks="animal,industry")


def test_a_run_by_a_strategy_is_told_as_the_same_run_by_options(demo: Path, tmp_path: Path, alike: Run) -> None:
    same = {"frames": "uniform:1", "max_pixels": 8192, "style": "challenge", "answer": "choose", "max_new_tokens": 7}
    by_options = asked(demo, tmp_path / "options", tasks="animal", **same)
    told = settings(alike)
    assert told.pop("strategy").startswith("strategy (")
    assert told == settings(by_options)
    assert [found.what for found in differing(by_options.record, alike.record)] == ["strategy"]


def test_several_ways_are_told_together_and_only_those_that_questions_had(of_domains: Run) -> None:
    told = settings(of_domains)
    assert (told["style"], told["frames"], told["method"]) == ("challenge", "uniform:2 or uniform:1", "rotate or once")


def test_a_tracker_is_told_what_was_asked(of_domains: Run) -> None:
    told = flat_settings(of_domains.record)
    assert told["prompt.frames"] == "uniform:2 or uniform:1"
    assert told["method"] == "rotate or once"
    assert told["model"] == "baseline:longest"
    assert "ways" not in told


def test_rotations_are_counted_where_a_rule_asks_for_them(of_domains: Run) -> None:
    animal = of_domains.results.groups["domain"]["animal"].n
    assert of_domains.results.rotations["asked"] == animal


def test_an_export_gives_no_value_that_only_some_questions_had(of_domains: Run, alike: Run, tmp_path: Path) -> None:
    def arguments(run: Run) -> dict[str, object]:
        export_run(
            run.path, "every-eval-ever,organization=Us,model=us/longest", output=tmp_path / f"{run.path.name}-export"
        )
        (aggregate,) = (tmp_path / f"{run.path.name}-export").glob("**/*.json")
        return dict(msgspec.json.decode(aggregate.read_bytes())["evaluation_results"][0]["generation_config"])

    assert dict(arguments(alike)["generation_args"])["max_tokens"] == 7  # type: ignore[call-overload]
    assert "frames uniform:2 or uniform:1" in str(arguments(of_domains)["additional_details"])


def test_a_run_does_not_go_on_beside_an_option_that_overrides_its_strategy(
    demo: Path, tmp_path: Path, alike: Run
) -> None:
    assert by_strategy(demo, tmp_path / "strategy", ALIKE, tasks="animal").results.complete
    with pytest.raises(UsageError, match="frames: 'uniform:1' there, 'all' now"):
        by_strategy(demo, tmp_path / "strategy", ALIKE, tasks="animal", frames="all")


def without_ways(run: Run) -> Run:
    """As a run was written before runs said in which ways a strategy asked."""
    path = run.path / "run.json"
    content = json.loads(path.read_text())
    del content["settings"]["ways"]
    path.write_text(json.dumps(content))
    return load_run(run.path)


def test_what_rules_set_in_a_run_that_does_not_say_for_which_questions_is_not_known(
    demo: Path, tmp_path: Path, of_domains: Run
) -> None:
    other = asked(demo, tmp_path / "other", tasks="animal,industry")
    known, rotated = settings(of_domains), of_domains.results.rotations
    early = without_ways(of_domains)
    told = settings(early)
    by_rule = ("style", "frames", "method", "template")
    assert [told[name] for name in by_rule] == ["not known"] * 4
    assert {name: told[name] for name in told if name not in by_rule} == {
        name: known[name] for name in known if name not in by_rule
    }
    shown = {found.what: (found.first, found.second) for found in differing(early.record, other.record)}
    assert shown["frames"] == ("not known", "all")
    assert shown["method"] == ("not known", "once")
    assert flat_settings(early.record)["prompt.frames"] == "not known"
    assert derive(early.folder, registry()).rotations == rotated


def test_an_option_beside_a_strategy_is_known_whatever_its_rules_say(demo: Path, tmp_path: Path) -> None:
    run = without_ways(by_strategy(demo, tmp_path / "given", BY_DOMAIN, tasks="animal", frames="tail:2"))
    told = settings(run)
    assert (told["frames"], told["style"], told["method"]) == ("tail:2", "not known", "not known")


def test_an_export_leaves_out_what_is_not_known(alike: Run, tmp_path: Path) -> None:
    export_run(without_ways(alike).path, "lm-eval", output=tmp_path / "export")
    (path,) = (tmp_path / "export").glob("**/results*.json")
    exported = json.loads(path.read_text())["config"]["gen_kwargs"]
    assert "max_new_tokens" not in exported
    assert exported["temperature"] == 0


def test_a_template_of_a_strategy_is_told_by_its_hash(demo: Path, tmp_path: Path) -> None:
    rules = 'rules:\n  - text: "{{ frames }}{{ question }}\\n{{ option_block }}"\n'
    told = settings(by_strategy(demo, tmp_path / "words", rules, tasks="animal"))
    assert told["style"] == "words"
    assert len(told["template"]) == 12
