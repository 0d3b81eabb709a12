"""What is said at a run's end of answers that weren't read."""

from __future__ import annotations

from pathlib import Path

import pytest
from scored_samples import question, record, sample, score_samples

from egocross_eval import Answered
from egocross_eval.cli.show.reporter import Reporter


def test_unread_answers_of_an_earlier_part_of_a_run_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [sample(question(number), "not_parsed") for number in (1, 2, 3)]
    for first, said in ((0, "3 not parsed (3 refusal); they"), (1, "3 not parsed (2 refusal, 1 before this); they")):
        reporter = Reporter("model")
        for line in lines[first:]:
            reporter(Answered(record=record("model"), sample=line))
        reporter.print_summary(tmp_path, score_samples(lines, total=3))
        assert said in capsys.readouterr().err
