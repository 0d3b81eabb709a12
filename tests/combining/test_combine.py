"""Runs made of runs: what decides, what is refused, and how they stand on a board."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from calling import call
from scored_samples import question, record, sample, with_answer, write_run

from egocross_eval import RunError, UsageError
from egocross_eval.combining.run import Recipe, combine
from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.task import Target
from egocross_eval.leaderboard.collect import rows_from
from egocross_eval.leaderboard.derived import derive, grade_again
from egocross_eval.leaderboard.ranking import boards
from egocross_eval.leaderboard.render import render
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import Decision, Question, Response, Sample
from egocross_eval.settings import GenerationSettings

LETTERS = "ABCD"


def decided(asked: Question, label: str, probabilities: Sequence[float] = ()) -> Sample:
    """A sample with that answer, and its log-probabilities where they're given."""
    scores = {letter: math.log(p) for letter, p in zip(LETTERS, probabilities, strict=False)}
    made = sample(asked, "right" if label == asked.target else "wrong")
    if scores:
        made = with_answer(made, response=Response(key=asked.key, scores=scores))
    decision = Decision(label=label, scores=scores, rule="scores" if scores else "bare")
    return msgspec.structs.replace(made, decision=decision)


def run(path: Path, samples: Sequence[Sample], **changes: Any) -> Path:
    """A finished run folder with its derived files."""
    keys = " ".join(one.key for one in samples)
    made = record(path.name, question_count=len(samples), questions_hash=keys, **changes)
    derive(write_run(path, made, samples), registry())
    return path


def answers(path: Path) -> dict[str, str | None]:
    return {one.key: one.decision.label for one in RunFolder(path).samples()}


def combined(output: Path, *parts: Path, **recipe: Any) -> list[str | None]:
    combine(parts, output, Recipe(**recipe), registry())
    return list(answers(output).values())


def test_log_probabilities_are_summed_where_votes_are_split(tmp_path: Path) -> None:
    asked = question(1)
    one = run(tmp_path / "one", [decided(asked, "A", (0.5, 0.4, 0.05, 0.05))])
    other = run(tmp_path / "other", [decided(asked, "C", (0.1, 0.4, 0.45, 0.05))])
    assert combined(tmp_path / "sum", one, other) == ["B"]
    (made,) = RunFolder(tmp_path / "sum").samples()
    assert made.decision.scores["B"] == pytest.approx(2 * math.log(0.4))
    assert made.cost.requests == 2
    assert combined(tmp_path / "heavier", one, other, weights=(10.0, 1.0)) == ["A"]


def test_the_way_in_which_scores_are_scaled_changes_nothing(tmp_path: Path) -> None:
    """Log-odds and sums over orders count like the probabilities that they stand for."""
    asked = question(1)
    one, other = decided(asked, "A", (0.7, 0.1, 0.1, 0.1)), decided(asked, "B", (0.2, 0.6, 0.1, 0.1))
    shifted = {letter: score + 7 for letter, score in one.decision.scores.items()}
    moved = msgspec.structs.replace(one, decision=msgspec.structs.replace(one.decision, scores=shifted))
    four = {letter: 4 * score for letter, score in one.decision.scores.items()}
    rotated = msgspec.structs.replace(
        one,
        answers=one.answers * 4,
        decision=msgspec.structs.replace(one.decision, scores=four, rule="summed_scores"),
    )
    second = run(tmp_path / "second", [other])
    for number, first in enumerate((one, moved, rotated)):
        combine([run(tmp_path / f"{number}", [first]), second], tmp_path / f"both{number}", Recipe(), registry())
    found = [RunFolder(tmp_path / f"both{number}").samples()[0].decision.scores for number in range(3)]
    assert found[1] == pytest.approx(found[0])
    assert found[2] == pytest.approx(found[0])


def weighed(asked: Question, scores: Mapping[str, float], rule: str | None, *, by_scores: bool) -> Sample:
    """A sample whose method weighed the options so, by log-probabilities or by what was said."""
    made = decided(asked, "A", (0.25, 0.25, 0.25, 0.25) if by_scores else ())
    reason = "tie" if rule is None else None
    decision = Decision(label="A" if rule else None, scores=dict(scores), rule=rule, reason=reason)
    return msgspec.structs.replace(made, decision=decision)


@pytest.mark.parametrize(
    ("scores", "rule", "by_scores"),
    [
        ({"A": -30.0, "B": 0.0, "C": -1.0, "D": -2.0}, "counted", False),
        ({"A": 1.0, "B": 5.0, "C": 5.0}, None, False),
        ({"A": 1.0, "B": 2.0}, "compared", False),
        ({"A": 0.5, "B": 3.0, "C": 1.0, "D": 1.5}, "wins", True),
        ({"A": 1.0, "B": 9.0}, "votes", True),
        ({"A": 1.0, "B": 9.0}, "votes_of_the_first", True),
    ],
)
def test_counts_wins_and_distances_are_no_log_probabilities(
    scores: Mapping[str, float], rule: str | None, by_scores: bool, tmp_path: Path
) -> None:
    asked = [question(number) for number in (1, 2)]
    known = (0.5, 0.3, 0.1, 0.1)
    one = run(tmp_path / "one", [decided(q, "A", known) for q in asked])
    other = run(
        tmp_path / "other", [weighed(asked[0], scores, rule, by_scores=by_scores), decided(asked[1], "B", (0.1, 0.9))]
    )
    made = combine([one, other], tmp_path / "sum", Recipe(), registry())
    first, second = made.folder.samples()
    assert first.decision.scores == pytest.approx(dict(zip(LETTERS, map(math.log, known), strict=True)))
    assert (first.decision.label, second.decision.label) == ("A", "B")
    assert made.without_scores == {"other": 1}


def test_strengths_count_also_where_they_rest_on_letters(tmp_path: Path) -> None:
    asked = question(1)
    one = run(tmp_path / "one", [decided(asked, "A", (0.5, 0.3, 0.1, 0.1))])
    strong = weighed(asked, {"A": -1.0, "B": 2.0, "C": 0.0, "D": 0.0}, "pairwise", by_scores=False)
    assert combined(tmp_path / "sum", one, run(tmp_path / "other", [strong])) == ["B"]


def test_runs_that_are_combined_in_steps_come_to_what_they_come_to_at_once(tmp_path: Path) -> None:
    asked = question(1)
    chances = [(0.6, 0.2, 0.1, 0.1), (0.3, 0.5, 0.1, 0.1), (0.2, 0.3, 0.4, 0.1)]
    one, two, three = (run(tmp_path / f"{n}", [decided(asked, "A", chance)]) for n, chance in enumerate(chances))
    combined(tmp_path / "pair", one, two)
    derive(RunFolder(tmp_path / "pair"), registry())
    combined(tmp_path / "steps", tmp_path / "pair", three)
    combined(tmp_path / "once", one, two, three)
    steps, once = (RunFolder(tmp_path / name).samples()[0].decision for name in ("steps", "once"))
    margins = [{label: score - made.scores["A"] for label, score in made.scores.items()} for made in (steps, once)]
    assert margins[0] == pytest.approx(margins[1])
    assert steps.label == once.label


def test_options_that_no_two_runs_weigh_are_not_decided_by_luck(tmp_path: Path) -> None:
    asked = question(1)
    one = run(tmp_path / "one", [weighed(asked, {"A": -1.0, "B": -2.0}, "scores", by_scores=True)])
    other = run(tmp_path / "other", [weighed(asked, {"C": -1.0, "D": -2.0}, "scores", by_scores=True)])
    made = combine([one, other], tmp_path / "sum", Recipe(), registry())
    (only,) = made.folder.samples()
    assert (only.decision.label, only.decision.reason) == (None, "no_option_in_common")


def test_a_tie_of_votes_goes_to_the_run_that_stands_first_and_never_to_a_letter(tmp_path: Path) -> None:
    asked = [question(number) for number in (1, 2)]
    one = run(tmp_path / "one", [decided(asked[0], "D"), decided(asked[1], "D")])
    two = run(tmp_path / "two", [decided(asked[0], "A"), decided(asked[1], "A")])
    three = run(tmp_path / "three", [decided(asked[0], "A"), decided(asked[1], "B")])
    assert combined(tmp_path / "votes", one, two, three, rule="votes") == ["A", "D"]
    assert combined(tmp_path / "weighted", one, two, three, rule="votes", weights=(1, 1, 2.5)) == ["A", "B"]


def domain_run(path: Path, right: Mapping[str, float], split: str, first: int = 0) -> Path:
    """A run that has so large a share right in each domain, over four videos each."""
    lines = []
    for place, (domain, share) in enumerate(right.items()):
        for number in range(40):
            name = f"{split}-{domain}-{number % 8}"
            asked = question(first + place * 40 + number + 1, domain=domain, cluster=name)
            asked = msgspec.structs.replace(asked, key=f"{split} {asked.key}")
            lines.append(decided(asked, "A" if (number * 0.618) % 1 < share else "B"))
    return run(path, lines, settings={"split": split})


def renamed(path: Path, model: str) -> Path:
    """The run as one of another model: runs of one model on two splits have one name."""
    folder = RunFolder(path)
    made = folder.record()
    folder.write_record(msgspec.structs.replace(made, model=record(model).model))
    return path


def test_the_best_run_for_each_domain_is_chosen_on_other_data(tmp_path: Path) -> None:
    skills = {"one": {"animal": 0.9, "industry": 0.3}, "two": {"animal": 0.2, "industry": 0.8}}
    support = [renamed(domain_run(tmp_path / f"s-{m}", s, "support", 900), m) for m, s in skills.items()]
    tested = [renamed(domain_run(tmp_path / m, s, "testbed"), m) for m, s in skills.items()]
    made = combine(tested, tmp_path / "best", Recipe(rule="best", by="domain", chosen_on=tuple(support)), registry())
    assert made.choice is not None
    assert {group: part.name for group, part in made.choice.by_group.items() if group} == {
        "animal": "one",
        "industry": "two",
    }
    results = derive(made.folder, registry())
    assert results.groups["domain"]["animal"].accuracy == pytest.approx(0.9, abs=0.03)
    assert results.groups["domain"]["industry"].accuracy == pytest.approx(0.8, abs=0.03)
    assert made.folder.record().combined is not None


def test_a_model_is_the_same_wherever_its_files_lie(tmp_path: Path) -> None:
    def moved(path: Path, place: str, weights: str) -> Path:
        folder = RunFolder(path)
        made = folder.record()
        model = msgspec.structs.replace(made.model, identity=f"hf:{place}/model", fingerprint=weights)
        folder.write_record(msgspec.structs.replace(made, model=model))
        return path

    skills = {"one": {"animal": 0.6}, "two": {"animal": 0.4}}
    tested = [moved(domain_run(tmp_path / m, s, "testbed"), "/elsewhere", m) for m, s in skills.items()]
    support = [moved(domain_run(tmp_path / f"s-{m}", s, "support", 900), ".", m) for m, s in skills.items()]
    combine(tested, tmp_path / "best", Recipe(rule="best", by="domain", chosen_on=tuple(support)), registry())
    moved(support[1], ".", "others")
    assert "they are of two models" in refused(tmp_path, *tested, rule="best", by="domain", chosen_on=tuple(support))
    moved(support[1], "/elsewhere", "others")
    assert "weights have changed" in refused(tmp_path, *tested, rule="best", by="domain", chosen_on=tuple(support))


def test_a_choice_by_luck_is_expected_to_gain_less_than_it_looks(tmp_path: Path) -> None:
    skills = {"one": {"animal": 0.55, "industry": 0.45}, "two": {"animal": 0.5, "industry": 0.5}}
    support = [renamed(domain_run(tmp_path / f"s-{m}", s, "support", 900), m) for m, s in skills.items()]
    tested = [renamed(domain_run(tmp_path / m, s, "testbed"), m) for m, s in skills.items()]
    recipe = Recipe(rule="best", by="domain", chosen_on=tuple(support))
    choice = combine(tested, tmp_path / "best", recipe, registry()).choice
    assert choice is not None
    assert choice.gain < choice.apparent


def test_a_combined_run_stands_no_higher_than_a_part_that_it_isnt_shown_to_beat(tmp_path: Path) -> None:
    asked = [question(number) for number in range(1, 41)]
    one = run(tmp_path / "one", [decided(q, "A" if q.id % 2 else "B") for q in asked])
    two = run(tmp_path / "two", [decided(q, "A" if q.id % 2 or q.id < 4 else "B") for q in asked])
    three = run(tmp_path / "three", [decided(q, "A" if q.id % 2 or q.id < 6 else "C") for q in asked])
    combined(tmp_path / "votes", one, two, three, rule="votes")
    derive(RunFolder(tmp_path / "votes"), registry())
    (board,) = boards(rows_from([one, two, three, tmp_path / "votes"]))
    assert board.standing.unpaired == 0
    assert board.ranks == [1, 1, 1, 1]
    (row,) = [row for row in board.rows if row.source == "votes"]
    assert row.settings == {"combined": "votes of one, two, three"}


def test_a_combined_run_is_no_other_model_of_the_name(tmp_path: Path) -> None:
    asked = [question(number) for number in range(1, 5)]
    parts = [run(tmp_path / f"{n}", [decided(q, letter) for q in asked]) for n, letter in enumerate("AB")]
    for part in parts:
        folder = RunFolder(part)
        model = msgspec.structs.replace(folder.record().model, name="both", fingerprint="same")
        folder.write_record(msgspec.structs.replace(folder.record(), model=model))
    combined(tmp_path / "votes", *parts, rule="votes")
    derive(RunFolder(tmp_path / "votes"), registry())
    rows = rows_from([*parts, tmp_path / "votes"])
    assert {row.model for row in rows} == {"both"}
    assert "different models" not in render(rows)


def test_answers_that_become_known_later_grade_a_combined_run(tmp_path: Path) -> None:
    unknown = [question(number, target=None) for number in (1, 2)]
    one = run(tmp_path / "one", [decided(q, "A") for q in unknown])
    two = run(tmp_path / "two", [decided(q, "B") for q in unknown])
    combined(tmp_path / "votes", one, two, rule="votes")
    folder = RunFolder(tmp_path / "votes")
    assert grade_again(folder, {q.key: Target(target="A") for q in unknown}, registry()) == 2
    assert [one.outcome for one in folder.samples()] == ["right", "right"]
    assert [one.decision.label for one in folder.samples()] == ["A", "A"]


def refused(tmp_path: Path, *parts: Path, **recipe: Any) -> str:
    with pytest.raises(UsageError) as caught:
        combine(parts, tmp_path / "never", Recipe(**recipe), registry())
    assert not (tmp_path / "never").exists()
    return str(caught.value)


def test_runs_that_make_no_whole_are_refused_by_name(tmp_path: Path) -> None:
    asked = [question(number) for number in (1, 2)]
    scored = run(tmp_path / "scored", [decided(q, "A", (0.7, 0.1, 0.1, 0.1)) for q in asked])
    words = run(tmp_path / "words", [decided(q, "B") for q in asked])
    fewer = run(tmp_path / "fewer", [decided(asked[0], "B")])
    failed = run(tmp_path / "failed", [decided(asked[0], "C"), sample(asked[1], "errored")])
    assert "at least two" in refused(tmp_path, scored)
    assert "other questions (2 and 1 of them)" in refused(tmp_path, scored, fewer)
    assert f"{failed} is not finished: 1 of 2" in refused(tmp_path, scored, failed)
    assert "are the same run" in refused(tmp_path, scored, scored)
    assert f"{words} has no log-probabilities to sum; use --rule votes" in refused(tmp_path, scored, words)
    chosen = msgspec.structs.replace(
        RunFolder(words).record().settings, generation=GenerationSettings(answer_mode="choose"), method="twice"
    )
    RunFolder(words).write_record(msgspec.structs.replace(RunFolder(words).record(), settings=chosen))
    assert "sum; --method twice gives none that could be: use --rule votes" in refused(tmp_path, scored, words)
    assert "1 for 2 runs" in refused(tmp_path, scored, words, weights=(1.0,))
    assert "a number above 0" in refused(tmp_path, scored, words, weights=(1.0, math.nan))
    assert "--chosen-on once for each of the 2 runs" in refused(tmp_path, scored, words, rule="best")
    assert "are for --rule best, not for sum" in refused(tmp_path, scored, words, by="domain")
    assert "did you mean 'domain'?" in refused(tmp_path, scored, words, rule="best", by="domian")


def test_a_choice_on_the_questions_that_are_measured_or_by_other_runs_is_refused(tmp_path: Path) -> None:
    skills = {"animal": 0.6}
    tested = [domain_run(tmp_path / name, skills, "testbed") for name in ("one", "two")]
    tested[1] = renamed(domain_run(tmp_path / "three", {"animal": 0.4}, "testbed"), "two")
    others = [
        renamed(domain_run(tmp_path / f"s{n}", {"animal": 0.5 + n / 10}, "support"), "two" if n else "one")
        for n in (0, 1)
    ]
    assert "the question" in refused(tmp_path, *tested, rule="best", chosen_on=tuple(tested))
    swapped = refused(tmp_path, *tested, rule="best", chosen_on=tuple(reversed(others)))
    assert "they are of two models" in swapped
    folder = RunFolder(others[0])
    made = folder.record()
    settings = msgspec.structs.replace(made.settings, generation=GenerationSettings(seed=3))
    folder.write_record(msgspec.structs.replace(made, settings=settings))
    assert "was asked in another way: seed" in refused(tmp_path, *tested, rule="best", chosen_on=tuple(others))


def test_the_command_says_how_the_run_stands_against_its_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [question(number) for number in range(1, 21)]
    one = run(tmp_path / "one", [decided(q, "A" if q.id % 2 else "B") for q in asked])
    two = run(tmp_path / "two", [decided(q, "A" if q.id % 3 else "C") for q in asked])
    assert call("combine", one, two, "--rule", "votes", "-o", tmp_path / "votes") == 0
    said = capsys.readouterr().out
    assert "two is better than combined" in said or "two has 20.0 points more than combined" in said
    assert "have equally many of 20 questions right" in said
    assert "ties: " in said
    assert call("audit", tmp_path / "votes") == 2
    assert "was made of others, and no model was asked for it: take one of these: one, two" in _words(capsys)
    assert call("combine", one, two, "--weights", "1,x", "-o", tmp_path / "again") == 2
    assert "numbers with commas between them" in capsys.readouterr().err


def _words(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said on stderr, on one line."""
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("weights", [(1e308, 1e308), (2e9, 1.0), (math.inf, 1.0), (math.nan, 1.0), (0.0, 1.0)])
def test_weights_whose_sums_would_be_no_numbers_are_refused(weights: tuple[float, float], tmp_path: Path) -> None:
    asked = question(1)
    parts = [run(tmp_path / name, [decided(asked, "A", (0.5, 0.4, 0.05, 0.05))]) for name in ("one", "other")]
    with pytest.raises(UsageError, match=r"--weights: (each is a number above 0|none is above 1e\+09)"):
        combine(parts, tmp_path / "sum", Recipe(weights=weights), registry())
    assert not (tmp_path / "sum").exists()


def test_scores_of_a_part_that_come_to_no_number_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    asked = question(1)
    one = run(tmp_path / "one", [decided(asked, "A", (0.5, 0.4, 0.05, 0.05))])
    wide = decided(asked, "A", (0.7, 0.1, 0.1, 0.1))
    wide = msgspec.structs.replace(
        wide, decision=Decision(label="A", scores=dict(zip(LETTERS, (1e308, -1e308, 0, 0), strict=True)), rule="scores")
    )
    other = run(tmp_path / "other", [wide])
    with pytest.raises(RunError, match=r"the sample of .*: decision.scores.B is -inf, which no file of a run can hold"):
        combine([one, other], tmp_path / "sum", Recipe(), registry())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


@pytest.mark.parametrize("inside", ["one/sum", "other/a/b", "one"])
def test_a_folder_inside_of_a_part_is_refused(inside: str, tmp_path: Path) -> None:
    asked = question(1)
    parts = [run(tmp_path / name, [decided(asked, "A", (0.5, 0.4, 0.05, 0.05))]) for name in ("one", "other")]
    with pytest.raises(UsageError, match="choose another --output"):
        combine(parts, tmp_path / inside, Recipe(), registry())
    assert not (tmp_path / "one" / "sum").exists()
    assert not (tmp_path / "other" / "a").exists()
