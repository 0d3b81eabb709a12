"""What exporters have in common: what is refused, what a sample's output is, and where files go."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.contracts.registry import registry
from egocross_eval.errors import UsageError
from egocross_eval.files import new_folder
from egocross_eval.leaderboard.rows import row_from_run
from egocross_eval.version import __version__

if TYPE_CHECKING:
    from egocross_eval.contracts.exporter import ExportedRun
    from egocross_eval.contracts.task import Benchmark
    from egocross_eval.schema import Answer, Sample

MADE_BY = f"egocross-eval {__version__}"


def benchmark_of(run: ExportedRun) -> Benchmark:
    """The run's benchmark as its plugin declares it. Raises `UsageError` where the plugin isn't installed."""
    name = run.record.benchmark.name
    found = registry().benchmarks().get(name)
    if found is None:
        raise UsageError(f"the benchmark {name!r} isn't known here: install the plugin that brings it")
    return found


def refuse_incomplete(run: ExportedRun, form: str) -> None:
    """Raises `UsageError` where an answer failed, is missing or can't be scored: the form has no word for that."""
    if run.results.complete and run.results.micro is not None:
        return
    counts = run.results.counts
    open_ = ", ".join(f"{counts[name]} {name}" for name in ("errored", "missing", "unscored") if counts.get(name))
    raise UsageError(
        f"{run.name} isn't complete ({open_ or 'no right answer is known'}), and {form} would show it as a whole run: "
        f"the same command that made it asks the rest, 'score' takes right answers"
    )


def output_text(answer: Answer) -> str:
    """What the model wrote, or the label that its scores chose; empty for a failure."""
    return answer.response.text or answer.reading.label or ""


def settings_text(run: ExportedRun) -> str:
    """How the questions were asked, on one line, e.g. `style lettered, frames all`."""
    row = row_from_run(run.record, run.results, source=run.name, origin_hash="")
    return ", ".join(f"{name} {value}" for name, value in row.settings.items())


def option_list(sample: Sample) -> list[str]:
    """The options in the order shown, with their labels."""
    return [f"{label}: {text}" for label, text in sample.question.options.items()]


def asked_text(sample: Sample) -> str:
    """The words of the prompt, `<image>` where frames stood; of the question where no request was needed."""
    if not sample.answers:
        return sample.question.text
    return "\n".join(text for _, text in sample.answers[0].sent.messages)


def by_part(run: ExportedRun) -> dict[str, list[Sample]]:
    """The samples by group of the macro average, in the benchmark's order; under an empty name where there is none."""
    record = run.record.benchmark
    found: dict[str, list[Sample]] = {}
    for sample in run.samples:
        found.setdefault(record.part(sample.question), []).append(sample)
    grouping = record.grouping(record.macro)
    return {part: found[part] for part in (grouping.ordered(found) if grouping else found)}


@contextlib.contextmanager
def filled_folder(path: Path) -> Iterator[Path]:
    """A folder that is there, whole, when the block ends. Raises `UsageError` where something lies there already."""
    if path.exists():
        raise UsageError(f"{path} is there already; remove it or choose another --output")
    with new_folder(path) as scratch:
        yield scratch


def json_bytes(value: Any) -> bytes:
    """Indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def json_lines(values: Iterator[Any]) -> bytes:
    """One line of JSON for each value."""
    return b"".join(msgspec.json.encode(value) + b"\n" for value in values)
