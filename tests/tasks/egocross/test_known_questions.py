"""The package knows what the published testbed asks: `python tests/tasks/egocross/test_known_questions.py ROOT` writes
the file that says so."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from egocross_eval import DataSource
from egocross_eval.contracts.registry import registry
from egocross_eval.tasks.egocross.catalogue import TESTBED_COUNT
from egocross_eval.tasks.egocross.known_questions import FILE, closed_questions, open_questions


def written(root: Path) -> str:
    """What the file should hold, by the questions below a data root."""
    source = DataSource(root=root, split="testbed")
    closed, opened = (registry().task(name).load(source).questions for name in ("all", "open"))
    return "".join(f"{one.key} {one.digest()} {other.digest()}\n" for one, other in zip(closed, opened, strict=True))


def test_it_is_what_the_real_files_give(shared_data: Path) -> None:
    assert FILE.read_text() == written(shared_data)


def test_each_question_of_the_testbed_has_a_digest_of_its_own_in_either_format() -> None:
    digests = [*closed_questions("testbed").values(), *open_questions("testbed").values()]
    assert len(closed_questions("testbed")) == len(open_questions("testbed")) == TESTBED_COUNT
    assert len(set(digests)) == 2 * TESTBED_COUNT


@pytest.mark.parametrize("split", ["support", "demo"])
def test_nothing_is_said_of_other_splits(split: str) -> None:
    assert not closed_questions(split)
    assert not open_questions(split)


def test_a_digest_is_of_what_is_asked_and_counted_alone(demo: Path) -> None:
    question = registry().task("all").load(DataSource(root=demo)).questions[0]
    alike = msgspec.structs.replace(
        question.without_target(), frames=(), labels=dict(reversed(question.labels.items()))
    )
    assert alike.digest() == question.digest()
    changes: list[dict[str, object]] = [
        {"key": "other"},
        {"text": "Other?"},
        {"options": dict(reversed(question.options.items()))},
        {"labels": question.labels | {"domain": "other"}},
        {"cluster": "other"},
        {"needs_options": True},
    ]
    changed = [msgspec.structs.replace(question, **change).digest() for change in changes]
    assert len({*changed, question.digest()}) == len(changes) + 1


if __name__ == "__main__":
    FILE.write_text(written(Path(sys.argv[1])))
