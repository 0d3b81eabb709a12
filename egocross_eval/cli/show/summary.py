"""What a run says at its end about questions that have no letter."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from egocross_eval.schema import Sample


def print_failures(samples: list[Sample], folder: Path) -> None:
    """One line per kind of failure with an example, and one for outputs that were not parsed."""
    failures = [(s.response.failure, s) for s in samples if s.response.failure is not None]
    kinds = Counter(failure.kind for failure, _ in failures)
    for kind, count in kinds.most_common():
        failure, sample = next((f, s) for f, s in failures if f.kind == kind)
        first_line = failure.message.strip().splitlines()[0][:300] if failure.message.strip() else ""
        click.echo(f"\n{count} failed ({kind}), e.g. question {sample.question.id}: {first_line}", err=True)
    if failures:
        click.echo(f"the same command with --output {folder} asks the failed questions again", err=True)
    unparsed = [s for s in samples if s.outcome == "not_parsed"]
    if unparsed:
        reasons = ", ".join(f"{n} {r}" for r, n in Counter(s.prediction.reason for s in unparsed).most_common())
        click.echo(f"\n{len(unparsed)} not parsed ({reasons}); they count as wrong", err=True)
    cut = sum(s.response.finish_reason == "length" for s in samples)
    if cut:
        click.echo(f"{cut} answers were cut off by --max-new-tokens", err=True)
