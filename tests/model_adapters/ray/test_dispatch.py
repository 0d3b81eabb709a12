"""What replicas are handed, and what becomes of it when they die: nothing lost, nothing twice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from egocross_eval import Frame, GenerationSettings, ImagePart, Message, Prompt, Request
from egocross_eval.model_adapters.ray.dispatch import DEATHS, MOST, Dispatch


def request(key: str, clip: str = "") -> Request:
    frames = (ImagePart(frame=Frame(name=clip), path=f"/{clip}"),) if clip else ()
    return Request(
        key=key, prompt=Prompt(messages=(Message(role="user", parts=frames),), style="x"), settings=GenerationSettings()
    )


def dispatch(*requests: Request) -> Dispatch:
    return Dispatch(iter(requests))


def keys(given: tuple[list[Request], bool]) -> list[str]:
    return [one.key for one in given[0]]


def test_questions_about_the_same_frames_go_together() -> None:
    queue = dispatch(request("a1", "a"), request("a2", "a"), request("b1", "b"), request("x"), request("y"))
    assert keys(queue.hand_out("0", 1)) == ["a1", "a2"]
    assert keys(queue.hand_out("1", 1)) == ["b1"]
    assert keys(queue.hand_out("0", 1)) == ["x"]
    assert queue.hand_out("1", 1) == ([request("y")], False)
    assert queue.hand_out("1", 1) == ([], True)


def test_batches_have_bounds_and_a_replica_gets_at_least_what_it_wants() -> None:
    queue = dispatch(*(request(str(number), "a") for number in range(3 * MOST)))
    assert len(keys(queue.hand_out("0", 1))) == MOST
    assert len(keys(queue.hand_out("0", MOST + 1))) == 2 * MOST


def test_nothing_is_drawn_before_it_is_wanted() -> None:
    drawn = []

    def source() -> Iterator[Request]:
        for number in range(100):
            drawn.append(number)
            yield request(str(number))

    queue = Dispatch(source())
    queue.hand_out("0", 2)
    assert len(drawn) <= 3
    assert queue.hand_out("1", 0) == ([], False)


def test_an_answer_is_taken_from_the_replica_that_was_asked_alone() -> None:
    queue = dispatch(request("a"))
    queue.hand_out("0", 1)
    assert not queue.answered("1", "a")
    assert queue.answered("0", "a")
    assert not queue.answered("0", "a")
    assert queue.done


def test_what_a_dead_replica_had_is_asked_first() -> None:
    queue = dispatch(*(request(str(number)) for number in range(4)))
    assert keys(queue.hand_out("0", 2)) == ["0", "1"]
    assert queue.answered("0", "0")
    assert queue.died("0", "killed") == []
    assert keys(queue.hand_out("1", 1)) == ["1"]


def test_only_the_question_that_kills_is_given_up() -> None:
    """It dies with its companions twice; the third time it's asked alone, and so are they."""
    queue = dispatch(*(request(f"q{number}") for number in range(6)))
    deaths: Counter[str] = Counter()
    failures = []
    for number in range(40):
        replica = str(number)
        given, _ = queue.hand_out(replica, 6)
        if "q3" in [one.key for one in given]:
            failures += queue.died(replica, "killed")
            deaths.update(one.key for one in given)
        else:
            assert all(queue.answered(replica, one.key) for one in given)
    assert queue.done
    assert [failure.key for failure in failures] == ["q3"]
    assert failures[0].failure is not None
    assert failures[0].failure.kind == "replica_died"
    assert deaths["q3"] == DEATHS


def test_a_suspect_comes_with_word_that_nothing_else_will_come() -> None:
    """An engine that fills a window would wait for others for ever."""
    queue = dispatch(request("a"), request("b"))
    for replica in ("0", "1"):
        queue.hand_out(replica, 1)
        queue.died(replica, "killed")
    assert queue.hand_out("2", 5) == ([request("a")], True)
    assert queue.hand_out("2", 5) == ([], True)
    assert queue.hand_out("3", 5) == ([request("b")], False)


@given(
    clips=st.lists(st.integers(0, 3), max_size=40),
    seed=st.integers(0, 10_000),
    replicas=st.integers(1, 4),
    killers=st.sets(st.integers(0, 39), max_size=2),
)
def test_whatever_dies_every_question_has_one_answer(
    clips: list[int], seed: int, replicas: int, killers: set[int]
) -> None:
    """Replicas answer in any order, die at any time, and always of some questions."""
    draw = random.Random(seed)
    queue = dispatch(*(request(str(number), f"c{clip}" if clip else "") for number, clip in enumerate(clips)))
    out: dict[str, list[str]] = {str(number): [] for number in range(replicas)}
    answers: Counter[str] = Counter()
    random_deaths, born = 5, replicas
    while not queue.done:
        name = draw.choice(list(out))
        given, _ = queue.hand_out(name, draw.randint(0, 5))
        out[name] += [one.key for one in given]
        if not out[name]:
            continue
        kills = int(out[name][0]) in killers
        if kills or (random_deaths and draw.random() < 0.1):
            random_deaths -= not kills
            answers.update(response.key for response in queue.died(name, "killed"))
            del out[name]
            out[str(born)] = []
            born += 1
        else:
            key = out[name].pop(0)
            assert queue.answered(name, key)
            answers[key] += 1
    assert answers == Counter(str(number) for number in range(len(clips)))
