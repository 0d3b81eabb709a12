"""Locate, point and count: what a model says as a number or a place becomes the nearest option, or an abstention."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respondents import last_words

from egocross_eval import Capabilities, ModelAdapter, Request, Response, Run, RunKeywords, UsageError, evaluate
from egocross_eval.methods.count import read_boxes, read_number
from egocross_eval.methods.option_values import count, region, seconds
from egocross_eval.methods.point import read_place


class Saying(ModelAdapter):
    """Says what a function makes of the request."""

    def __init__(self, say: Callable[[Request], str]) -> None:
        self._say = say

    def capabilities(self) -> Capabilities:
        return Capabilities(needs_content=False)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            yield Response(key=request.key, text=self._say(request), finish_reason="stop")


def run_of(say: Callable[[Request], str], demo: Path, folder: Path, **keywords: object) -> Run:
    given: RunKeywords = {"data": demo, "split": "demo", "cache": False, **keywords}  # type: ignore[typeddict-item]
    return evaluate(Saying(say), output=folder, **given)


TEMPORAL = "action-temporal-localization,interaction-temporal-localization"


def test_the_frame_that_is_named_leads_to_the_option_nearest_in_time(demo: Path, tmp_path: Path) -> None:
    run = run_of(lambda request: "Frame 2", demo, tmp_path / "run", tasks=TEMPORAL, method="locate")
    for sample in run.samples:
        time = sample.question.frames[1].time
        assert time is not None

        def away(label: str, time: float = time, options: dict[str, str] = sample.question.options) -> float:
            start, end = seconds(options[label]) or (0.0, 0.0)
            return max(start - time, time - end, 0.0)

        assert sample.decision.label is not None
        assert away(sample.decision.label) == min(map(away, sample.question.options))
        (_, text) = sample.answers[0].sent.messages[-1]
        assert re.findall(r"Frame (\d+):<image>", text) == [str(n + 1) for n in range(len(sample.question.frames))]


def test_who_knows_the_true_frame_gets_the_true_option(demo: Path, tmp_path: Path) -> None:
    """A respondent that sees when it happens, and no option: as right as the spacing of frames lets it be."""
    knows: dict[str, str] = {}
    run = run_of(lambda request: "1", demo, tmp_path / "one", tasks=TEMPORAL, method="locate")
    for sample in run.samples:
        start, end = seconds(sample.question.options[sample.question.target or ""]) or (0.0, 0.0)
        times = [frame.time or 0.0 for frame in sample.question.frames]
        knows[sample.key] = str(1 + min(range(len(times)), key=lambda n: abs(times[n] - (start + end) / 2)))
    run = run_of(lambda r: knows[r.key.partition("#")[0]], demo, tmp_path / "two", tasks=TEMPORAL, method="locate")
    assert run.results.micro is not None
    assert run.results.micro.accuracy > 0.85


@pytest.mark.parametrize("text", ["frame 0", "99999", "between 1 and 2", "", "I can't tell"])
def test_a_number_that_names_no_frame_is_no_answer(text: str, demo: Path, tmp_path: Path) -> None:
    run = run_of(lambda request: text, demo, tmp_path / "run", tasks=TEMPORAL, method="locate", limit=3)
    assert {(s.decision.label, s.outcome) for s in run.samples} == {(None, "not_parsed")}


def test_a_place_leads_to_its_region_of_nine(demo: Path, tmp_path: Path) -> None:
    def corner(request: Request) -> str:
        return '```json\n{"box": [0, 700, 200, 1000]}\n```'

    run = run_of(corner, demo, tmp_path / "run", tasks="object-spatial-localization", method="point")
    offered = [s for s in run.samples if "bottom-left" in s.question.options.values()]
    found = {s.question.options[s.decision.label or ""] for s in offered}
    assert found == {"bottom-left"}


def test_counts_lead_to_the_nearest_number_and_both_ways_are_averaged(demo: Path, tmp_path: Path) -> None:
    boxes = '[{"label": "hook", "box": [1,2,3,4]}, {"label": "Hook ", "box": [5,6,7,8]},'
    boxes += ' {"label": "pin", "box": [1,1,2,2]}]'

    def says(request: Request) -> str:
        return boxes if "box" in last_words(request) else "There are 4."

    run = run_of(says, demo, tmp_path / "run", tasks="object-counting", method="count:by=both")
    for sample in run.samples:
        numbers = {label: count(text) or 0 for label, text in sample.question.options.items()}
        nearest = min(abs(number - 3) for number in numbers.values())
        if sample.decision.label is None:
            assert sum(abs(number - 3) == nearest for number in numbers.values()) > 1
        else:
            assert abs(numbers[sample.decision.label] - 3) == nearest


@pytest.mark.parametrize("method", ["locate", "point", "count"])
def test_questions_of_another_kind_are_refused_with_an_example(method: str, demo: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"--method {method}: options of \d+ of 100 questions are no .*, e\.g\. "):
        run_of(lambda request: "1", demo, tmp_path / "run", method=method)


def test_counts_are_no_times(demo: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"--method locate: options of (\d+) of \1 questions are no times, e\.g\. '\d+'"
    ):
        run_of(lambda request: "1", demo, tmp_path / "run", method="locate", tasks="counting")


@pytest.mark.parametrize("method", ["locate", "point"])
def test_without_frames_a_question_is_asked_as_it_stands(method: str, demo: Path, tmp_path: Path) -> None:
    tasks = TEMPORAL if method == "locate" else "object-spatial-localization"
    run = run_of(lambda request: "B", demo, tmp_path / "run", method=method, tasks=tasks, frames="none")
    assert {sample.decision.label for sample in run.samples} == {"B"}


def test_numbers_beside_frames_are_refused_for_a_video(demo: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--method locate: needs frames as separate images"):
        run_of(lambda request: "1", demo, tmp_path / "run", method="locate", tasks=TEMPORAL, media="video")


def test_options_of_all_real_questions_of_these_kinds_are_read(shared_data: Path, tmp_path: Path) -> None:
    import json

    readers: dict[str, Callable[[str], object]] = {
        "action temporal localization": seconds,
        "interaction temporal localization": seconds,
        "object spatial localization": region,
        "object counting": count,
    }
    items = json.loads((shared_data / "egocross_testbed_imgs.json").read_bytes())
    asked = [item for item in items if item["question_type"] in readers]
    assert len(asked) == 398
    for item in asked:
        for option in item["options"]:
            assert readers[item["question_type"]](option[3:]) is not None, option


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_nearest_region_is_the_one_that_holds_the_point(x: float, y: float) -> None:
    names = [f"{row}-{column}" for row in ("top", "center", "bottom") for column in ("left", "center", "right")]
    centres = {name: region(name) or (9, 9) for name in names}
    nearest = min(names, key=lambda n: (centres[n][0] - x) ** 2 + (centres[n][1] - y) ** 2)
    if min(abs(share * 3 - edge) for share in (x, y) for edge in (1, 2)) > 1e-6:
        assert nearest == names[3 * int(min(y, 0.999) * 3) + int(min(x, 0.999) * 3)]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"point": [500, 250]}', (0.5, 0.25)),
        ("(100, 900)", (0.1, 0.9)),
        ("[0.25, 0.75]", (0.25, 0.75)),
        ("[100, 100, 300, 500]", (0.2, 0.3)),
        ("[100, 100] or [900, 900]", None),
        ("[1200, 100]", None),
        ("[1, 2, 3]", None),
        ("top left", None),
    ],
)
def test_a_place_is_read_or_none(text: str, place: tuple[float, float] | None) -> None:
    assert read_place(text, 1000) == (pytest.approx(place) if place else None)


def test_numbers_and_boxes_are_read_or_none() -> None:
    assert [read_number(text) for text in ("3", "There are 12.", "2 or 3", "none", "2.5")] == [3, 12, None, None, None]
    assert [read_boxes(text) for text in ("[]", "[[1,2,3,4],[5,6,7,8]]", "two")] == [0, 2, None]


@given(st.text())
def test_any_output_is_read_without_an_error(text: str) -> None:
    read_place(text, 1000)
    read_number(text)
    read_boxes(text)
    seconds(text)
    region(text)
    count(text)
