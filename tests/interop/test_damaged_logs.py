"""Logs that somebody changed: they are refused by name, or each answer is still that of its own question."""

from __future__ import annotations

import contextlib
import copy
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from egocross_eval import EgoCrossError, Question
from egocross_eval.contracts.registry import registry
from egocross_eval.interop.importing.joining import Joined, join

QUESTIONS = [
    Question(id=number, key=f"clip_{number}", text=f"Which is {number}?", options={"A": "x", "B": "y"}, target="A")
    for number in range(1, 7)
]
Content = list[dict[str, Any]]
"""The entries of a log, one for each question, in the tool's form."""


def said(question: Question) -> str:
    """What the log's model says, unlike what it says to any other question."""
    return f"The answer is A, as {question.key} shows."


def lmms_eval() -> Content:
    return [
        {"doc_id": number, "target": "A", "filtered_resps": [said(question)], "micro": {"question_id": question.key}}
        | {"input": question.text, "token_counts": [{"input_tokens": 9, "output_tokens": 2}]}
        for number, question in enumerate(QUESTIONS)
    ]


def write_lmms_eval(folder: Path, content: Content) -> Path:
    (folder / "1_results.json").write_text('{"config": {"model": "x"}, "configs": {"mine": {}}}')
    (folder / "1_samples_mine.jsonl").write_text("".join(json.dumps(line) + "\n" for line in content))
    return folder / "1_results.json"


def lm_eval() -> Content:
    return [
        {"doc_id": number, "doc": {"question_id": question.key}, "resps": [[said(question)]], "filtered_resps": ["A"]}
        | {"exact_match": 1.0}
        for number, question in enumerate(QUESTIONS)
    ]


def write_lm_eval(folder: Path, content: Content) -> Path:
    (folder / "results_1.json").write_text('{"lm_eval_version": "0.4.9", "configs": {"mine": {}}, "config": {}}')
    (folder / "samples_mine_1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in content))
    return folder / "results_1.json"


def inspect() -> Content:
    return [
        {"id": question.key, "epoch": 1, "input": question.text, "choices": ["x", "y"], "target": "A"}
        | {"scores": {"letter": {"value": "C", "answer": "A"}}}
        | {"output": {"choices": [{"message": {"content": said(question)}}], "usage": {"input_tokens": 3}}}
        for question in QUESTIONS
    ]


def write_inspect(folder: Path, content: Content) -> Path:
    header = {"version": 2, "status": "success", "eval": {"model": "x/y", "created": "2026"}}
    path = folder / "log.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", json.dumps(header))
        for number, sample in enumerate(content):
            archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(sample))
    return path


def vlmevalkit() -> Content:
    return [
        {"index": number, "question_id": question.key, "question": question.text, "prediction": said(question)}
        | {"hit": 1, "A": "x", "B": "y", "answer": "A"}
        for number, question in enumerate(QUESTIONS)
    ]


def write_vlmevalkit(folder: Path, content: Content) -> Path:
    path = folder / "model_data.json"
    path.write_text(json.dumps(content))
    return path


def predictions() -> Content:
    return [{"question_id": question.key, "id": question.id, "answer": said(question)} for question in QUESTIONS]


def write_predictions(folder: Path, content: Content) -> Path:
    path = folder / "predictions.json"
    path.write_text(json.dumps(content))
    return path


TOOLS: dict[str, tuple[Callable[[], Content], Callable[[Path, Content], Path]]] = {
    "lmms-eval": (lmms_eval, write_lmms_eval),
    "lm-eval": (lm_eval, write_lm_eval),
    "inspect": (inspect, write_inspect),
    "vlmevalkit": (vlmevalkit, write_vlmevalkit),
    "predictions": (predictions, write_predictions),
}

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**20),
    st.just(float("nan")),
    st.floats(),
    st.sampled_from(["", "A", "clip_1", "clip_99", "[LMMS_EVAL_REQUEST_FAILED] x", "Failed to obtain answer"]),
    st.sampled_from([[], {}, [[]], ["A", "B"], {"question_id": "clip_2"}, [None], [["A"], ["B"]]]),
).map(copy.deepcopy)
TOLD = (
    *("resps", "filtered_resps", "output", "prediction", "answer", "content", "choices", "message"),
    *("question_id", "id", "micro", "doc"),
)
"""Fields that hold what was said and to which question: what they are changed to is what the log says."""


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all values within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [found for key, one in inner for found in places(one, (*path, key))]


@st.composite
def changes(draw: st.DrawFn, content: Content) -> tuple[Content, bool]:
    """The entries, some of which are gone, doubled, moved, cut or changed; and whether they tell something else."""
    found = copy.deepcopy(content)
    retold = False
    for _ in range(draw(st.integers(1, 4))):
        if not found:
            break
        entry = draw(st.sampled_from(range(len(found))))
        kind = draw(st.sampled_from(["drop", "double", "shuffle", "remove", "change", "foreign"]))
        if kind == "drop":
            del found[entry]
        elif kind == "double":
            found.append(copy.deepcopy(found[entry]))
        elif kind == "shuffle":
            found = draw(st.permutations(found))
        elif kind == "foreign":
            other = json.loads(json.dumps(found[entry]).replace("clip_", "other_"))
            found.append(other | ({"id": other["id"] + 99} if isinstance(other.get("id"), int) else {}))
        elif spots := places(found[entry]):
            *way, last = draw(st.sampled_from(spots))
            holder: Any = found[entry]
            for step in way:
                holder = holder[step]
            retold |= kind == "change" and any(step in TOLD for step in (*way, last))
            if kind == "remove":
                del holder[last]
            else:
                holder[last] = draw(VALUES)
    return found, retold


@pytest.mark.hypothesis
@pytest.mark.parametrize("tool", TOOLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_changed_log_is_refused_by_name_or_no_question_gets_another_s_answer(
    tool: str, data: st.DataObject, tmp_path: Path
) -> None:
    make, write = TOOLS[tool]
    content, retold = data.draw(changes(make()))
    path = write(tmp_path, content)
    with contextlib.suppress(EgoCrossError):
        _each_answer_is_its_question_s(join(QUESTIONS, registry().importer(tool).read(path).answers), retold=retold)


def _each_answer_is_its_question_s(joined: Joined, *, retold: bool) -> None:
    texts = {question.key: said(question) for question in QUESTIONS}
    for key, answer in joined.answers.items():
        assert retold or answer.failure is not None or answer.text == texts[key]
    left_out = [*joined.contradicted, *joined.reworded, *joined.other_options, *joined.unsure_options]
    left_out += joined.other_target
    mismatched = set(joined.mismatched) - {*joined.answers, *left_out}
    entries = [joined.answers, joined.missing, left_out, mismatched]
    assert sorted(key for found in entries for key in found) == sorted(texts)


@pytest.mark.hypothesis
@pytest.mark.parametrize("tool", TOOLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_log_with_other_bytes_is_refused_by_name_or_read(tool: str, data: st.DataObject, tmp_path: Path) -> None:
    make, write = TOOLS[tool]
    path = write(tmp_path, make())
    file = data.draw(st.sampled_from(sorted(tmp_path.iterdir())))
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1)) if content else 0
        content[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=8))
    file.write_bytes(bytes(content))
    with contextlib.suppress(EgoCrossError):
        join(QUESTIONS, registry().importer(tool).read(path).answers)
    for left in tmp_path.iterdir():
        left.unlink()
