"""Writes what was joined as a run folder, with the letters read anew, and compares both readings."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from egocross_eval.contracts.importer import ForeignAnswer, ForeignRun
from egocross_eval.contracts.registry import Registry
from egocross_eval.errors import UsageError
from egocross_eval.files import read_bytes
from egocross_eval.interop.importing.joining import Joined
from egocross_eval.interop.importing.keys import without_keys
from egocross_eval.leaderboard.derived import derive
from egocross_eval.methods.once import Once
from egocross_eval.reading.response import read_response
from egocross_eval.runs.decide import make_sample, utc_now
from egocross_eval.runs.plan import RunPlan, run_versions
from egocross_eval.runs.requests import RequestMaker
from egocross_eval.runs.store import RunFolder, SampleWriter, questions_hash
from egocross_eval.schema import (
    SCHEMA_VERSION,
    Answer,
    Ask,
    Decision,
    Imported,
    ModelRecord,
    Question,
    Reading,
    Response,
    RunRecord,
    RunSettings,
    Sample,
    Sent,
)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The tool's readings beside ours."""

    same: int = 0
    """Answers of which both read the same."""
    other: tuple[str, ...] = ()
    """Answers of which they read something else: key, theirs, ours."""
    scored_otherwise: tuple[str, ...] = ()
    """Answers that the tool counts as right and we don't, or the other way round."""


def imported_record(
    tool: str, foreign: ForeignRun, plan: RunPlan, questions: Sequence[Question], name: str, registry: Registry
) -> RunRecord:
    """`run.json` of an imported run."""
    spec = without_keys(foreign.spec)
    unknown = RunSettings(
        tasks=plan.settings.tasks, split=plan.settings.split, grader=plan.settings.grader, limit=plan.settings.limit
    )
    return RunRecord(
        schema_version=SCHEMA_VERSION,
        benchmark=plan.benchmark.record(),
        model=ModelRecord(spec=spec, identity=spec, fingerprint="", name=name or without_keys(foreign.model)),
        settings=foreign.settings or unknown,
        data_root=str(plan.root.path) if plan.root else "",
        data_hashes=plan.data_hashes,
        question_count=len(questions),
        questions_hash=questions_hash(questions),
        created_at=utc_now(),
        versions=run_versions(),
        plugins={plugin.distribution: plugin.version for plugin in registry.plugins if plugin.error is None},
        imported=Imported(
            tool=tool,
            version=foreign.version,
            date=foreign.date,
            files={path.name: hashlib.sha256(read_bytes(path)).hexdigest() for path in foreign.files},
            details=without_keys(foreign.details),
            settings_known=foreign.settings is not None,
        ),
    )


def write_run(
    path: Path,
    record: RunRecord,
    questions: Sequence[Question],
    joined: Joined,
    plan: RunPlan,
    registry: Registry,
    files: Sequence[Path],
) -> Comparison:
    """Writes the run folder with its derived files.

    Raises `UsageError` for a folder that holds anything but the log, whose `files` may lie in it.
    """
    refuse_used(path, but=_entries_of(files, path))
    folder = RunFolder(path)
    assert record.imported is not None
    renders = record.imported.settings_known and not record.settings.style_hash
    samples = [
        _sample(question, joined, record.imported.tool, plan, renders=renders)
        for question in questions
        if question.key in joined.answers
    ]
    folder.start(record, questions)
    with SampleWriter(folder) as writer:
        for sample in samples:
            writer.write(sample)
    derive(folder, registry)
    return compare(samples, joined)


def refuse_used(path: Path, *, but: Collection[str] = ()) -> None:
    """Raises `UsageError` for a folder that holds a run, or anything that `but` doesn't name."""
    folder = RunFolder(path)
    if folder.exists() or not folder.is_unstarted(but=but):
        raise UsageError(f"{path} is not empty; choose another --output")


def _entries_of(files: Sequence[Path], folder: Path) -> set[str]:
    """Names of the folder's entries that the files are, or lie in."""
    root = folder.resolve()
    within = [file.resolve() for file in files if file.resolve().is_relative_to(root)]
    return {file.relative_to(root).parts[0] for file in within}


def _sample(question: Question, joined: Joined, tool: str, plan: RunPlan, *, renders: bool) -> Sample:
    foreign = joined.answers[question.key]
    response = Response(
        key=question.key,
        text=foreign.text if foreign.failure is None else None,
        failure=foreign.failure,
        input_tokens=foreign.input_tokens,
        output_tokens=foreign.output_tokens,
        seconds=foreign.seconds,
    )
    ask = Ask(options=joined.reordered.get(question.key))
    shown = ask.options or question.options
    answer = Answer(
        ask=ask,
        sent=_sent(question, ask, foreign, plan, renders=renders),
        response=response,
        reading=read_response(response, shown, tuple(shown)),
        theirs=Reading(label=foreign.label, rule=tool) if foreign.label is not None else None,
    )
    decision = Decision(reason="errored") if response.failure else Once().step(question.without_target(), [answer])
    assert isinstance(decision, Decision)
    return make_sample(plan.grader, question, [answer], decision)


def _sent(question: Question, ask: Ask, foreign: ForeignAnswer, plan: RunPlan, *, renders: bool) -> Sent:
    """What was asked: as our task renders it where the log is one of ours, else the words that the log has."""
    if renders:
        return RequestMaker(plan).made(question, ask, read_frames=False)[1]
    return Sent(messages=(("user", foreign.prompt),) if foreign.prompt else ())


def compare(samples: Sequence[Sample], joined: Joined) -> Comparison:
    """Where the tool read or scored an answer otherwise than we do."""
    same, other, scored = 0, [], []
    for sample in samples:
        (answer,) = sample.answers
        theirs, score = answer.theirs, joined.answers[sample.key].score
        if theirs is not None and theirs.label == (answer.reading.label or ""):
            same += 1
        elif theirs is not None:
            other.append(f"{sample.key}: {theirs.label or 'nothing'} there, {answer.reading.label or 'nothing'} here")
        if score is not None and sample.outcome != "unscored" and (score == 1) != (sample.outcome == "right"):
            scored.append(f"{sample.key}: {score:g} there, {sample.outcome} here")
    return Comparison(same=same, other=tuple(other), scored_otherwise=tuple(scored))
