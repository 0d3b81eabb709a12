"""What the demo's answers say can be read off the pixels of the frames, knowing only which hue each thing has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from egocross_eval.contracts.task import DataSource
from egocross_eval.schema import Question
from egocross_eval.tasks.egocross.demo.animal import THINGS as MET
from egocross_eval.tasks.egocross.demo.industry import BENCH
from egocross_eval.tasks.egocross.demo.palette import HUES, PAPER
from egocross_eval.tasks.egocross.demo.paws import ANIMALS
from egocross_eval.tasks.egocross.demo.ride import DIRECTIONS, TRICKS
from egocross_eval.tasks.egocross.demo.surgery import ACTIONS, CHOLEC, OPEN, PHASES
from egocross_eval.tasks.egocross.testbed import read_testbed

Pixels = npt.NDArray[np.int16]
Colour = tuple[int, int, int]

COLOURS: dict[str, dict[str, Colour]] = {
    dataset: {name: thing.colour for name, thing in things.items()}
    for dataset, things in (
        ("CholecTrack20", CHOLEC.things),
        ("EgoSurgery", OPEN.things),
        ("ENIGMA", BENCH.things),
        ("EgoPet", MET),
    )
}
SIGNS: dict[str, Colour] = {name: HUES[hue] for name, hue in (DIRECTIONS | TRICKS).items()}


@pytest.fixture(scope="module", params=[0, 3])
def root(request: pytest.FixtureRequest, demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo and one of another seed."""
    if request.param == 0:
        return demo
    from egocross_eval.tasks.egocross.demo import write_demo

    other = tmp_path_factory.mktemp("other")
    write_demo(other, seed=request.param, frame_scale=0.6)
    return other


@pytest.fixture(scope="module")
def ask(root: Path) -> Callable[..., list[Question]]:
    questions = read_testbed(DataSource(root=root)).questions

    def chosen(question_type: str, *datasets: str) -> list[Question]:
        found = [
            q
            for q in questions
            if q.label("question_type") == question_type and (not datasets or q.label("dataset") in datasets)
        ]
        assert len(found) >= 4
        return found

    return chosen


@lru_cache(maxsize=256)
def pixels(path: Path) -> Pixels:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB").resize((160, 120), Image.Resampling.NEAREST), dtype=np.int16)


def mask(picture: Pixels, colour: Colour, reach: int = 60) -> npt.NDArray[np.bool_]:
    near: npt.NDArray[np.bool_] = np.abs(picture - np.array(colour, dtype=np.int16)).sum(axis=2) < reach
    return near


def shown(picture: Pixels, colours: Mapping[str, Colour]) -> set[str]:
    """Names whose colour fills more than half a percent of the picture."""
    return {name for name, colour in colours.items() if mask(picture, colour).mean() > 0.005}


def frames(root: Path, question: Question) -> list[tuple[float, Pixels]]:
    pictures = []
    for frame in question.frames:
        assert frame.time is not None
        pictures.append((frame.time, pixels(root / frame.name)))
    return pictures


def right(question: Question) -> str:
    assert question.target is not None
    return question.options[question.target]


def region(picture: Pixels, colour: Colour) -> str | None:
    """The cell of the 3x3 grid that the middle of the coloured area lies in."""
    rows, columns = np.nonzero(mask(picture, colour))
    if len(rows) < 80:
        return None
    row, column = int(rows.mean() * 3 / picture.shape[0]), int(columns.mean() * 3 / picture.shape[1])
    names = (("top-left", "top-center", "top-right"), ("center-left", "center", "center-right"))
    return (*names, ("bottom-left", "bottom-center", "bottom-right"))[row][column]


def seconds(text: str) -> float:
    found = re.search(r"(\d+(?:\.\d+)?)s", text)
    assert found is not None
    return float(found[1])


def begins(pictures: list[tuple[float, Pixels]], happens: Callable[[Pixels], bool]) -> list[tuple[float, float]]:
    """For each stretch of frames in which it happens: the time of the frame before it and that of its first frame."""
    found, before, was = [], -1.0, False
    for time, picture in pictures:
        now = happens(picture)
        if now and not was:
            found.append((before, time))
        before, was = time, now
    return found


def only_option_within(question: Question, after: float, until: float) -> str:
    """The one option whose time lies in the half-open interval."""
    inside = [text for text in question.options.values() if after < seconds(text) <= until]
    assert len(inside) == 1, (question.id, inside)
    return inside[0]


def test_as_many_kinds_of_things_appear_as_the_answer_counts(root: Path, ask: Callable[..., list[Question]]) -> None:
    for question in ask("object counting"):
        names = set[str]().union(*(shown(p, COLOURS[question.label("dataset")]) for _, p in frames(root, question)))
        assert right(question) == str(len(names)), (question.id, names)


def test_the_thing_that_is_not_visible_never_appears_and_the_others_do(
    root: Path, ask: Callable[..., list[Question]]
) -> None:
    for question in ask("object not visible identification"):
        names = set[str]().union(*(shown(p, COLOURS[question.label("dataset")]) for _, p in frames(root, question)))
        assert set(question.options.values()) - names == {right(question)}, question.id


def test_a_thing_is_in_the_stated_region_at_the_stated_time(root: Path, ask: Callable[..., list[Question]]) -> None:
    for question in ask("object spatial localization"):
        found = re.search(r"view was the '?([\w\- ]+?)'? (?:\(operated|located)", question.text)
        when = re.search(r"around timestamp (\d+(?:\.\d+)?)s", question.text)
        assert found is not None
        assert when is not None
        _, picture = min(frames(root, question), key=lambda frame: abs(frame[0] - float(when[1])))
        assert region(picture, COLOURS[question.label("dataset")][found[1]]) == right(question), question.id


def held(picture: Pixels, dataset: str, hand: str) -> str | None:
    """The thing that the arm of `hand` leads to."""
    setting = {"CholecTrack20": CHOLEC, "EgoSurgery": OPEN, "ENIGMA": BENCH}[dataset]
    (x, y), colour = setting.hands[hand].anchor, setting.hands[hand].colour
    height, width = picture.shape[:2]
    arm = mask(picture, colour, 75)
    corner = {(0.04, 1.0): "bottom-left", (0.96, 1.0): "bottom-right", (0.5, 0.0): "top-center"}[x, y]
    best: dict[str, float] = {}
    for name, hue in COLOURS[dataset].items():
        rows, columns = np.nonzero(mask(picture, hue))
        if len(rows) < 80:
            continue
        if region(picture, hue) == corner:  # the arm is too short to be seen
            return name
        steps = np.linspace(0.3, 0.75, 12)
        at_x = np.clip(x * width + (columns.mean() - x * width) * steps, 0, width - 1).astype(int)
        at_y = np.clip(y * height + (rows.mean() - y * height) * steps, 0, height - 1).astype(int)
        best[name] = float(arm[at_y, at_x].mean())
    name = max(best, key=lambda key: best[key])
    return name if best[name] > 0.4 else None


def test_the_asked_hand_holds_the_answer_in_most_frames(root: Path, ask: Callable[..., list[Question]]) -> None:
    for question in ask("dominant held-object identification"):
        phrase = re.search(r"was the (?:operator's (\w+) hand|([\w ]+hand)) predominantly", question.text)
        assert phrase is not None
        hand = phrase[1] or phrase[2]
        counts = Counter(held(p, question.label("dataset"), hand) for _, p in frames(root, question))
        counts.pop(None, None)
        assert counts.most_common(1)[0][0] == right(question), (question.id, counts)


def stands(colour: Colour, place: str, picture: Pixels) -> bool:
    return region(picture, colour) == place


def has_more_paper(share: float, picture: Pixels) -> bool:
    return bool(mask(picture, PAPER, 24).mean() > share)


def test_an_instrument_reaches_the_organ_at_the_stated_time(root: Path, ask: Callable[..., list[Question]]) -> None:
    for question in ask("action temporal localization", "CholecTrack20"):
        tool = re.search(r"using ([\w\-]+)\?", question.text)
        assert tool is not None
        colour = CHOLEC.things[tool[1]].colour
        (stretch,) = begins(frames(root, question), partial(stands, colour, "center"))
        assert only_option_within(question, *stretch) == right(question)


def test_a_part_is_touched_at_the_stated_time(root: Path, ask: Callable[..., list[Question]]) -> None:
    for question in ask("action temporal localization", "ENIGMA"):
        pictures = frames(root, question)
        labels = min(mask(p, PAPER, 24).mean() for _, p in pictures)  # paper-white without any flash
        stretches = begins(pictures, partial(has_more_paper, labels + 0.006))
        assert len(stretches) == (2 if "second" in question.text else 1)
        assert only_option_within(question, *stretches[-1]) == right(question)


def sign(picture: Pixels) -> str | None:
    """The hue of the board at the upper right."""
    corner = picture[4:44, 108:156]
    shares = {hue: mask(corner, colour).mean() for hue, colour in HUES.items()}
    hue = max(shares, key=lambda key: shares[key])
    return hue if shares[hue] > 0.08 else None


def shows_sign(hue: str, picture: Pixels) -> bool:
    return sign(picture) == hue


def test_boards_come_in_the_order_of_the_action_sequence(root: Path, ask: Callable[..., list[Question]]) -> None:
    for question in ask("action sequence identification"):
        order = [hue for hue, _ in groupby(sign(p) for _, p in frames(root, question))]
        hues = [(DIRECTIONS | TRICKS)[action] for action in right(question).split(" → ")]
        assert order == [hue for hue, _ in groupby(hues)], question.id


def test_the_board_of_an_action_appears_at_the_stated_time(root: Path, ask: Callable[..., list[Question]]) -> None:
    for question in ask("action temporal localization", "ExtrameSportFPV"):
        action = re.search(r"the '(\w+)' action", question.text)
        assert action is not None
        hue = (DIRECTIONS | TRICKS)[action[1].capitalize()]
        stretches = begins(frames(root, question), partial(shows_sign, hue))
        inside = [text for text in question.options.values() for a, b in stretches if a < seconds(text) <= b]
        assert right(question) in inside, question.id


def test_the_board_in_the_stated_segment_is_that_of_the_special_action(
    root: Path, ask: Callable[..., list[Question]]
) -> None:
    for question in ask("special action identification"):
        stated = re.search(r"from (\d+)s to (\d+)s", question.text)
        assert stated is not None
        boards = {sign(p) for time, p in frames(root, question) if int(stated[1]) <= time <= int(stated[2])}
        assert boards - {None} == {TRICKS[right(question)]}, question.id


def test_the_last_frame_announces_the_next_direction(root: Path, ask: Callable[..., list[Question]]) -> None:
    for question in ask("next direction prediction"):
        _, picture = frames(root, question)[-1]
        middle = picture[24:60, 60:100]
        shares = {name: mask(middle, SIGNS[name]).mean() for name in DIRECTIONS}
        name = max(shares, key=lambda key: shares[key])
        spoken = {"Curveleft": "Curve left", "Curveright": "Curve right", "Leftright": "Left then right"}
        assert spoken.get(name, name) == right(question), question.id


def middle_thing(picture: Pixels) -> str | None:
    shares = {name: mask(picture[20:76, 55:105], colour).mean() for name, colour in COLOURS["EgoPet"].items()}
    name = max(shares, key=lambda key: shares[key])
    return name if shares[name] > 0.12 else None


def test_the_thing_in_the_middle_is_what_the_animal_interacts_with(
    root: Path, ask: Callable[..., list[Question]]
) -> None:
    for question in ask("interaction identification"):
        assert {middle_thing(p) for _, p in frames(root, question)} - {None} == {right(question)}, question.id


def test_a_thing_is_met_only_within_the_stated_range(root: Path, ask: Callable[..., list[Question]]) -> None:
    for question in ask("interaction temporal localization"):
        thing = re.search(r"interact with the (\w+) in", question.text)
        assert thing is not None
        times = [time for time, p in frames(root, question) if middle_thing(p) == thing[1].capitalize()]
        start, end = map(float, right(question).removesuffix(" seconds").split("-"))
        assert times, question.id
        assert all(start <= time <= end for time in times), question.id


def test_the_filming_animals_colour_is_at_the_lower_edge(root: Path, ask: Callable[..., list[Question]]) -> None:
    for question in ask("animal identification"):
        _, picture = frames(root, question)[0]
        shares = {name: mask(picture[90:], ANIMALS[name].colour, 40).mean() for name in question.options.values()}
        assert max(shares, key=lambda key: shares[key]) == right(question), (question.id, shares)


def plan_row(picture: Pixels) -> Pixels:
    """The lowest row of the plan: what comes next."""
    return picture[86:, 100:]


def test_the_plan_shows_the_instrument_of_the_next_phase_and_action(
    root: Path, ask: Callable[..., list[Question]]
) -> None:
    for question in (*ask("next phase prediction"), *ask("next action prediction")):
        row = plan_row(frames(root, question)[-1][1])
        shares = {name: mask(row, colour).mean() for name, colour in COLOURS["CholecTrack20"].items()}
        tool = max(shares, key=lambda key: shares[key])
        phase = next(phase for phase, instrument in PHASES.items() if instrument == tool)
        expected = (
            f"{phase} phase"
            if "phase" in question.label("question_type")
            else f"use {tool} to {' '.join(ACTIONS[tool])}"
        )
        assert right(question) == expected, question.id


def test_the_work_order_shows_the_next_interaction(root: Path, ask: Callable[..., list[Question]]) -> None:
    for question in ask("next interaction prediction"):
        row = plan_row(frames(root, question)[-1][1])
        shares = {name: mask(row, colour).mean() for name, colour in COLOURS["ENIGMA"].items()}
        part = max(shares, key=lambda key: shares[key])
        verb = "contact" if mask(row, PAPER, 40).mean() > 0.3 else "decontact"
        assert right(question) == f"{verb} the {part}", question.id
