"""Examples before a question: which, in what order, how they are worded, and what is refused."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from egocross_eval import (
    DataError,
    ModelAdapter,
    Question,
    Request,
    Response,
    RunKeywords,
    UsageError,
    evaluate,
    read_egocross,
)
from egocross_eval.cli.main import cli
from egocross_eval.contracts.registry import registry
from egocross_eval.contracts.task import DataSource, Questions
from egocross_eval.frames.shared import Clip, Shared, shared_frames
from egocross_eval.prompts.renderer import prompt_text
from egocross_eval.prompts.shots import Shot, ShotSetting
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import RunPlan, plan_run
from egocross_eval.runs.requests import request_of
from egocross_eval.schema import Ask
from egocross_eval.tasks.select import load_questions


def planned(data: Path, shots: str, split: str = "demo", **keywords: object) -> RunPlan:
    given: RunKeywords = {"data": data, "split": split, "shots": shots, **keywords}  # type: ignore[typeddict-item]
    return plan_run(options_from(**given), registry())


def shots_of(plan: RunPlan, question: Question) -> Sequence[Shot]:
    shots = plan.approach(question).renderer.shots
    return shots.of(question) if shots is not None else ()


def turns(plan: RunPlan, question: Question) -> Sequence[tuple[str, str]]:
    return prompt_text(plan.approach(question).renderer.render(question, plan.root))


@pytest.fixture(scope="module")
def examples(demo: Path) -> dict[str, Question]:
    return {q.text + q.cluster: q for q in read_egocross(DataSource(root=demo, split="support")).questions}


def test_examples_are_of_the_questions_kind_and_come_before_it_as_turns(demo: Path) -> None:
    plan = planned(demo, "2", tasks="xsports", frames="uniform:4")
    for question in plan.questions:
        shots = plan.approach(plan.questions[0]).renderer.shots
        assert shots is not None
        used = shots.of(question)
        assert len(used) == 2
        for shot in used:
            assert [shot.question.label(name) for name in ("domain", "question_type")] == [
                question.label(name) for name in ("domain", "question_type")
            ]
            assert shot.question.cluster != question.cluster
        roles = [role for role, _ in turns(plan, question)]
        assert roles == ["user", "assistant"] * 2 + ["user"]
        for (_, text), shot in zip(turns(plan, question)[::2], used, strict=False):
            assert text.count("<image>") == min(4, len(shot.question.frames))
            assert text.endswith("Reply with one letter only: A, B, C or D.")
        assert [text for role, text in turns(plan, question) if role == "assistant"] == [shot.reply for shot in used]


def test_the_reply_is_the_right_option_wherever_the_shuffle_put_it(demo: Path) -> None:
    plan = planned(demo, "4", tasks="xsports,animal")
    originals = {q.key: q for q in read_egocross(DataSource(root=demo, split="support")).questions}
    places: set[tuple[str | None, str]] = set()
    shots = plan.approach(plan.questions[0]).renderer.shots
    assert shots is not None
    for shot in (shot for cell in shots.by_cell.values() for shot in cell):
        original = originals[shot.question.key]
        assert shot.question.options[shot.reply] == original.options[original.target or ""]
        assert sorted(shot.question.options.values()) == sorted(original.options.values())
        places.add((original.target, shot.reply))
    assert len(places) > 8  # not where they stood


def test_all_questions_of_a_cell_have_the_same_examples_in_the_same_order(demo: Path) -> None:
    plan = planned(demo, "3", tasks="xsports")
    beginnings: dict[tuple[str, ...], set[tuple[tuple[str, str], ...]]] = defaultdict(set)
    shots = plan.approach(plan.questions[0]).renderer.shots
    assert shots is not None
    for question in plan.questions:
        beginnings[shots.cell(question)].add(tuple(turns(plan, question)[:-1]))
    assert {len(found) for found in beginnings.values()} == {1}
    other = planned(demo, "3", tasks="xsports", seed=1)
    assert [turns(plan, q)[:-1] for q in plan.questions] != [turns(other, q)[:-1] for q in plan.questions]


def test_feedback_says_what_is_right_and_stands_before_the_next_question(demo: Path) -> None:
    plan = planned(demo, "2:feedback", tasks="animal-identification")
    question = plan.questions[0]
    (_, first), (_, good), (_, second), (_, bad), (_, last) = turns(plan, question)
    shots = plan.approach(plan.questions[0]).renderer.shots
    assert shots is not None
    one, other = shots.of(question)
    assert "right" not in first
    assert second.startswith("That is right.\n")
    target = other.question.target or ""
    assert last.startswith(f"That is wrong: the right answer is {target}: {other.question.options[target]}.\n")
    assert (good, bad) == (one.question.target, other.reply)
    assert bad not in other.question.accepted()


def test_text_alone_shows_no_frame_of_an_example_and_json_answers_in_json(demo: Path) -> None:
    plan = planned(demo, "2:text", tasks="animal-identification", style="json")
    system, first, reply, *_, last = turns(plan, plan.questions[0])
    assert system[0] == "system"
    assert "<image>" not in first[1]
    assert set(json.loads(reply[1])) == {"prediction", "reason"}
    assert last[1].count("<image>") == len(plan.questions[0].frames)


def test_a_question_of_the_examples_own_split_never_sees_itself_or_its_video(demo: Path) -> None:
    plan = planned(demo, "2", split="support", tasks="xsports")
    shots = plan.approach(plan.questions[0]).renderer.shots
    assert shots is not None
    for question in plan.questions:
        used = shots.of(question)
        assert used
        assert question.cluster not in {shot.question.cluster for shot in used}


def test_shots_of_a_cell_are_the_same_beginning_of_each_request_and_count_into_its_hash(demo: Path) -> None:
    with_shots, without = planned(demo, "1", tasks="xsports"), planned(demo, "", tasks="xsports")
    question = with_shots.questions[0]
    hashes = {request_of(plan, question, Ask(), read_frames=True).content_hash for plan in (with_shots, without)}
    assert len(hashes) == 2


def test_questions_of_a_cell_are_asked_one_after_the_other(demo: Path, tmp_path: Path) -> None:
    asked: list[Request] = []

    class Seeing(ModelAdapter):
        def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
            for request in requests:
                asked.append(request)
                yield Response(key=request.key, text="A")

    evaluate(Seeing(), data=demo, split="demo", tasks="xsports", shots="1", output=tmp_path / "run", cache=False)
    cells = [request.labels["question_type"] for request in asked]
    assert len([1 for a, b in itertools.pairwise(cells) if a != b]) == len(set(cells)) - 1


def without_a_cell(demo: Path, root: Path) -> Path:
    """The demo without examples of sport identification."""
    shutil.copytree(demo, root, symlinks=True, copy_function=os.link)
    path = root / "egocross_support_set" / "train.json"
    kept = [item for item in json.loads(path.read_bytes()) if "extreme sport" not in item["messages"][0]["content"]]
    path.unlink()
    path.write_text(json.dumps(kept))
    return root


def test_cells_without_examples_are_named_with_what_to_do(demo: Path, tmp_path: Path) -> None:
    root = without_a_cell(demo, tmp_path / "data")
    with pytest.raises(UsageError, match=r"xsports / sport identification \(4\).*'2:covered' in place of '2'"):
        planned(root, "2", tasks="xsports")
    covered = planned(root, "2:covered", tasks="xsports")
    bare = [question for question in covered.questions if not shots_of(covered, question)]
    assert {question.label("question_type") for question in bare} == {"sport identification"}
    assert len(bare) == 4
    assert sum("xsports / sport identification (4); these are asked without" in note for note in covered.warnings) == 1
    assert planned(root, "2", tasks="next-direction-prediction").questions
    with pytest.warns(UserWarning, match="fewer examples for surgery / next action prediction 1"):
        evaluate(
            "baseline:chance",
            tasks="next-action-prediction",
            data=root,
            split="demo",
            shots="2",
            output=tmp_path / "few",
            cache=False,
        )
    shutil.rmtree(root / "egocross_support_set")
    with pytest.raises(DataError, match=r"--shots 2 needs the examples of EgoCross.*data fetch support"):
        planned(root, "2")


def test_an_example_that_shows_a_frame_of_a_question_is_refused_by_content(demo: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(demo, root, symlinks=True)
    plan = planned(root, "1", tasks="xsports")
    question = plan.questions[0]
    shots = plan.approach(plan.questions[0]).renderer.shots
    assert shots is not None
    leaking = shots.of(question)[0].question
    assert plan.root is not None
    assert shots.root is not None
    shutil.copyfile(plan.root.resolve_str(question.frames[0].name), shots.root.resolve_str(leaking.frames[0].name))
    with pytest.raises(UsageError, match=f"the example {leaking.key} shows a frame of {question.cluster}"):
        planned(root, "1", tasks="xsports")


def test_a_leak_names_the_rule_whose_questions_it_stands_before_and_all_rules_take_one_look(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    shutil.copytree(demo, root, symlinks=True)
    rules = tmp_path / "rules.yaml"
    domains = ("animal", "industry", "xsports", "surgery")
    rules.write_text("rules:\n" + "".join(f"- {{for: {{domain: {one}}}, shots: '1:covered'}}\n" for one in domains))
    looks: list[object] = []
    loads: list[object] = []

    def by_rules(tasks: str = "all") -> RunPlan:
        return plan_run(options_from(data=root, split="demo", strategy=str(rules), tasks=tasks), registry())

    def looking(*clips: Sequence[Clip]) -> Shared:
        looks.append(clips)
        return shared_frames(*clips)

    def loading(*asked: Any) -> Questions:
        loads.append(asked)
        return load_questions(*asked)

    monkeypatch.setattr("egocross_eval.runs.shots.shared_frames", looking)
    monkeypatch.setattr("egocross_eval.runs.plan.load_questions", loading)
    plan = by_rules()
    assert len(plan.approaches.groups(plan.questions)) == 4
    assert (len(looks), len(loads)) == (1, 2)
    question = next(q for q in plan.questions if q.label("domain") == "xsports")
    leaking = shots_of(plan, question)[0].question
    shots = plan.approach(question).renderer.shots
    assert plan.root is not None
    assert shots is not None
    assert shots.root is not None
    shutil.copyfile(plan.root.resolve_str(question.frames[0].name), shots.root.resolve_str(leaking.frames[0].name))
    with pytest.raises(UsageError, match=rf"rules.yaml, line 4: --shots: the example {leaking.key} shows a frame of"):
        by_rules()
    assert by_rules("surgery").questions


def test_a_picture_of_several_videos_is_no_leak_whichever_questions_are_asked_and_a_whole_clip_is(
    demo: Path, tmp_path: Path
) -> None:
    root = tmp_path / "data"
    shutil.copytree(demo, root, symlinks=True)
    plan = planned(root, "1", tasks="xsports")
    shots = plan.approach(plan.questions[0]).renderer.shots
    assert plan.root is not None
    assert shots is not None
    assert shots.root is not None
    one = plan.questions[0]
    leaking = shots.of(one)[0].question
    others = {q.cluster: q for q in planned(root, "", tasks="surgery").questions}
    other = next(iter(others.values()))
    from_example = [shots.root.resolve_str(frame.name) for frame in leaking.frames]
    shutil.copyfile(from_example[0], plan.root.resolve_str(one.frames[0].name))
    shutil.copyfile(from_example[0], plan.root.resolve_str(other.frames[0].name))
    for asked in ({"tasks": "xsports"}, {"ids": str(one.id)}, {"tasks": "xsports", "shard": "1/3"}):
        assert planned(root, "1", **asked).questions
    for number, question in enumerate((one, other)):
        for place, frame in enumerate(question.frames):
            copied = from_example[(place + number) % len(from_example)]
            shutil.copyfile(copied, plan.root.resolve_str(frame.name))
    for asked in ({"tasks": "xsports"}, {"ids": str(one.id)}):
        with pytest.raises(UsageError, match=f"the example {leaking.key} shows a frame of {one.cluster}"):
            planned(root, "1", **asked)


def test_an_example_that_looks_as_a_question_does_is_named_in_a_note(demo: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(demo, root, symlinks=True)
    plan = planned(root, "1", tasks="xsports")
    assert not [note for note in plan.warnings if "looks as" in note]
    question = plan.questions[0]
    shots = plan.approach(question).renderer.shots
    assert plan.root is not None
    assert shots is not None
    assert shots.root is not None
    leaking = shots.of(question)[0].question
    pictures = [shots.root.resolve_str(frame.name) for frame in leaking.frames]
    for place, frame in enumerate(question.frames):
        with Image.open(pictures[place % len(pictures)]) as picture:
            smaller = picture.convert("RGB").resize((picture.width * 3 // 4, picture.height * 3 // 4))
        smaller.save(plan.root.resolve_str(frame.name), quality=40)
    (note,) = [note for note in planned(root, "1", tasks="xsports").warnings if "looks as" in note]
    assert note.startswith(f"--shots: the example {leaking.key} looks as {question.key} does, of another source: were")
    other = next(q for q in plan.questions if q.key != question.key)
    assert not [n for n in planned(root, "1", tasks="xsports", ids=str(other.id)).warnings if "looks as" in n]


@given(st.integers(0, 99), st.sampled_from(["", ":feedback", ":text", ":plain"]), st.sampled_from(["", ":covered"]))
def test_any_number_and_form_is_read(count: int, form: str, covered: str) -> None:
    found = ShotSetting.parse(f"{count}{form}{covered}")
    assert (found.count, found.form, found.covered) == (count, form.removeprefix(":") or "plain", bool(covered))
    assert ShotSetting.parse(str(found)) == found


@pytest.mark.parametrize("text", ["x", "-1", "4:feedbck", "4:", "٤", "1.5", "2:coverd", "2:covered:text", ":covered"])
def test_anything_else_is_refused_with_what_is_taken(text: str) -> None:
    with pytest.raises(UsageError, match=r"N, N:feedback, N:text"):
        options_from(shots=text)


def test_show_prints_the_examples(demo: Path) -> None:
    shown = CliRunner().invoke(cli, ["show", "90", "--data", str(demo), "--split", "demo", "--shots", "1:text"])
    assert shown.exit_code == 0, shown.output
    assert shown.output.count("\n[assistant]\n") == 1


def test_show_looks_at_the_examples_of_its_question_alone(demo: Path, tmp_path: Path) -> None:
    root = without_a_cell(demo, tmp_path / "data")
    plan = planned(root, "")
    without = next(q.id for q in plan.questions if q.label("question_type") == "sport identification")
    other = next(q.id for q in plan.questions if q.label("question_type") == "next direction prediction")
    arguments = ["--data", str(root), "--split", "demo", "--shots", "1:text"]
    assert CliRunner().invoke(cli, ["show", str(other), *arguments]).exit_code == 0
    refused = CliRunner().invoke(cli, ["show", str(without), *arguments])
    assert "these questions: xsports / sport identification (1)" in str(refused.exception)


def test_the_real_support_set_covers_the_testbed_but_for_two_cells(shared_data: Path, tmp_path: Path) -> None:
    """The types of its examples follow from the wording and the clip's folder: this is what they come to."""
    for folder, name, source in (
        ("egocross_support_set", "train.json", "support_set/train.json"),
        ("egocross_testbed", "egocross_testbed_imgs.json", "egocross_testbed_imgs.json"),
    ):
        (tmp_path / folder).mkdir()
        shutil.copyfile(shared_data / source, tmp_path / folder / name)
    none = r"surgery / action temporal localization \(19\); industry / dominant held-object identification \(32\)\."
    with pytest.raises(UsageError, match=none):
        planned(tmp_path, "2:text", split="testbed")
    assert len(planned(tmp_path, "2:text", split="testbed", tasks="animal,xsports").questions) == 429
