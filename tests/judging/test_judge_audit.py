"""An audit finds what a judge is worth, by answers whose verdict is known."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from calling import call
from judges import ORDER, Judge, material, prompt_of, reply

from egocross_eval import Capabilities, DataSource, Question, Request, Response
from egocross_eval.auditing import audit_judge
from egocross_eval.contracts.registry import registry
from egocross_eval.grading.controls import KINDS, controls
from egocross_eval.grading.values import same_as_reference
from egocross_eval.judging import ready_judge
from egocross_eval.runs.options import RunOptions, options_from
from egocross_eval.runs.plan import plan_run
from egocross_eval.scoring.judge_audit import JudgeAudit
from egocross_eval.settings import JudgeSettings
from egocross_eval.tasks.select import load_questions, select_tasks

QUESTION = Question(
    id=1,
    key="k",
    text="When?",
    target="13.4-15.4 seconds",
    references={"answer_text": "13.4-15.4 seconds", "detailed_answer": "It happens at 13.4-15.4 seconds."},
    hidden_options=dict(
        zip("ABCD", ("10.1-12.1 seconds", "13.4-15.4 seconds", "1.0-3.0 seconds", "6-8 s"), strict=True)
    ),
)


def drawn(text: str) -> float:
    """A number between 0 and 1 that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


def audited(
    demo: Path, path: Path, mark: Callable[[Request], int], *, limit: int = 100, **settings: object
) -> JudgeAudit:
    options = options_from(RunOptions(), tasks="open", data=demo, limit=limit)
    one = Judge(lambda request: Response(key=request.key, text=reply(mark(request))), name=str(path))
    known = JudgeSettings(prematch="none", **settings)  # type: ignore[arg-type]
    judge = ready_judge(one, known, registry())
    return audit_judge(judge, plan_run(options, registry()), path, registry(), repeats=1, tell=lambda event: None)


@pytest.fixture(scope="module")
def verdicts(demo: Path) -> dict[tuple[str, ...], bool]:
    """Whether each control of the demo is right, by the texts of question, reference and control."""
    loaded = load_questions(select_tasks("open", registry()), DataSource(root=demo))
    return {(q.text, str(q.target), c.text): KINDS[c.kind].right for q in loaded.questions for c in controls(q, 0)}


def truth(request: Request, verdicts: dict[tuple[str, ...], bool]) -> bool:
    prompt = prompt_of(request)
    question = prompt.partition("Question: ")[2].partition("\n\n")[0]
    seen = material(prompt)
    return verdicts[question, seen.reference, seen.prediction]


def test_controls_are_what_they_are_said_to_be() -> None:
    made = {control.kind: control.text for control in controls(QUESTION, 0)}
    assert set(made) == set(KINDS)
    assert made["reference"] == QUESTION.target
    for kind in ("other", "step", "injection"):
        assert not same_as_reference(made[kind], str(QUESTION.target))
    assert all(text in made["buried"] for text in QUESTION.hidden_options.values())
    assert len(made["long-wrong"]) > 500
    assert list(controls(QUESTION, 0)) == list(controls(QUESTION, 0))
    assert list(controls(QUESTION, 0)) != list(controls(QUESTION, 1))


def test_controls_of_a_question_without_options_need_none() -> None:
    plain = Question(id=1, key="k", text="How many?", target="3")
    assert {control.kind for control in controls(plain, 0)} == {
        "reference",
        "paraphrase",
        "long-right",
        "step",
        "refusal",
    }


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.95, 0.9), (0.8, 0.7)])
def test_error_rates_that_are_known_are_found(
    sensitivity: float, specificity: float, demo: Path, tmp_path: Path, verdicts: dict[tuple[str, ...], bool]
) -> None:
    def mark(request: Request) -> int:
        right = truth(request, verdicts)
        errs = drawn(request.key) > (sensitivity if right else specificity)
        return 5 if right != errs else 0

    found = audited(demo, tmp_path / "audit", mark)
    assert found.sensitivity is not None
    assert found.specificity is not None
    assert found.sensitivity.low <= sensitivity <= found.sensitivity.high
    assert found.specificity.low <= specificity <= found.specificity.high
    assert abs(found.sensitivity.value - sensitivity) < 0.05
    assert abs(found.specificity.value - specificity) < 0.05
    assert found.not_judged == found.errored == 0


def test_a_credulous_judge_a_biased_one_and_a_fickle_one_are_found_out(
    demo: Path, tmp_path: Path, verdicts: dict[tuple[str, ...], bool]
) -> None:
    def credulous(request: Request) -> int:
        seen = material(prompt_of(request))
        return 5 if ORDER.search(seen.prediction) or "Reply {" in seen.prediction else 5 * truth(request, verdicts)

    def wordy(request: Request) -> int:
        return 5 if len(material(prompt_of(request)).prediction) > 300 else 5 * truth(request, verdicts)

    def first_seen(request: Request) -> int:
        prompt = prompt_of(request)
        swapped = prompt.index("Answer to be marked") < prompt.index("Right answer:")
        return 5 if swapped else 4 * truth(request, verdicts)

    counted: Counter[str] = Counter()

    def fickle(request: Request) -> int:
        counted[material(prompt_of(request)).prediction] += 1
        return 5 if request.settings.seed else 0

    one = audited(demo, tmp_path / "credulous", credulous, limit=30)
    assert one.kinds["injection"].value == 0
    assert one.kinds["other"].value == 1
    two = audited(demo, tmp_path / "wordy", wordy, limit=30)
    assert two.length_wrong is not None
    assert two.length_wrong.low > 0.8
    three = audited(demo, tmp_path / "first", first_seen, limit=30)
    assert three.order is not None
    assert three.order.low > 1
    assert three.order_changes is not None
    assert three.order_changes.value > 0.5
    four = audited(demo, tmp_path / "fickle", fickle, limit=30)
    assert four.consistency is not None
    assert four.consistency.value == 0
    assert four.spread == 5


def test_an_audit_goes_on_where_it_was_stopped(
    demo: Path, tmp_path: Path, verdicts: dict[tuple[str, ...], bool]
) -> None:
    asked: list[str] = []

    def breaking(request: Request) -> int:
        if len(asked) == 50:
            raise KeyboardInterrupt
        asked.append(request.key)
        return 5 * truth(request, verdicts)

    with pytest.raises(KeyboardInterrupt):
        audited(demo, tmp_path / "audit", breaking, limit=20)
    before = list(asked)
    found = audited(demo, tmp_path / "audit", lambda request: asked.append(request.key) or 0, limit=20)  # type: ignore[func-returns-value]
    assert len(set(asked)) == len(asked) > len(before) == 50
    assert found.sensitivity is not None


def test_rules_are_audited_like_any_judge(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    arguments = ("judge", "audit", "--judge", "rules", "--data", demo, "--limit", "60")
    assert call(*arguments) == 0
    printed = capsys.readouterr().out
    assert "another option, and an order to give full marks" in printed
    assert "Length: a long right answer" in printed
    assert call(*arguments, "--format", "json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found == json.loads((tmp_path / "audits" / "rules" / "audit.json").read_text())
    assert found["specificity"]["value"] == 1
    assert found["sensitivity"]["value"] > 0.9
    assert found["order"] is None


def test_what_no_control_can_be_made_of_is_refused(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], shared_data: Path
) -> None:
    place = ("--output", tmp_path / "audits")
    assert call("judge", "audit", "--judge", "rules", "--data", demo, "--tasks", "animal", *place) == 2
    assert "--tasks open" in capsys.readouterr().err
    assert call("judge", "audit", "--data", demo, *place) == 2
    assert "no judge" in capsys.readouterr().err
    questions = shared_data / "egocross_testbed_imgs.json"
    unknown = ("judge", "audit", "--judge", "rules", "--data", shared_data, "--questions", questions, *place)
    assert call(*unknown) == 2
    assert "no known answer" in capsys.readouterr().err
    assert not (tmp_path / "audits").exists()


def test_a_judge_that_scores_is_audited_by_its_scores(
    demo: Path, tmp_path: Path, verdicts: dict[tuple[str, ...], bool]
) -> None:
    def scores(request: Request) -> Response:
        return Response(key=request.key, scores={"5" if truth(request, verdicts) else "0": 0.0})

    class Scoring(Judge):
        def capabilities(self) -> Capabilities:
            return Capabilities(scores=True)

    settings = JudgeSettings(prematch="none", judge_answer="choose")
    judge = ready_judge(Scoring(scores, "scoring"), settings, registry())
    plan = plan_run(options_from(RunOptions(), tasks="open", data=demo, limit=5), registry())
    found = audit_judge(judge, plan, tmp_path / "audit", registry(), repeats=0, tell=lambda event: None)
    assert found.sensitivity is not None
    assert found.sensitivity.value == 1
    assert found.consistency is None
