"""A run folder that is opened, new or to go on with, and the asking of what is pending in it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.contracts.event import Answered, Event, Started, Stopped, Warned
from egocross_eval.contracts.faults import guarded
from egocross_eval.contracts.model import ModelAdapter
from egocross_eval.errors import RunError, UsageError
from egocross_eval.runs.activity import ActivityLog
from egocross_eval.runs.cache import ResponseCache
from egocross_eval.runs.loop import Loop
from egocross_eval.runs.order import cluster_by_cluster, neighbours
from egocross_eval.runs.own import remember
from egocross_eval.runs.plan import RunPlan
from egocross_eval.runs.store import RunFolder, SampleWriter
from egocross_eval.schema import NOT_KNOWN, Answer, Question, RunRecord, Sample
from egocross_eval.schema.run_settings import shots_asked

EMPTY_HASH = hashlib.sha256().hexdigest()
"""Of a `samples.jsonl` without a line."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A run that's ready to ask."""

    plan: RunPlan
    adapter: ModelAdapter
    record: RunRecord
    folder: RunFolder
    is_new: bool
    """Nothing has been answered in the folder."""
    outcomes: dict[str, int]
    """Of the questions that need not be asked again, by outcome."""
    pending: tuple[Question, ...]
    earlier: dict[str, list[Answer]]
    """Answers to pending questions that an earlier process got, by the question's key."""

    @property
    def done(self) -> int:
        """Number of questions that need not be asked again."""
        return sum(self.outcomes.values())


def open_session(plan: RunPlan, adapter: ModelAdapter, record: RunRecord, path: Path) -> Session:
    """Starts a run in a new folder, or goes on with the one that is there.

    Raises `UsageError`, showing the difference, where the folder's run was made with other settings.
    """
    folder = RunFolder(path)
    outcomes: Counter[str] = Counter()
    earlier: dict[str, list[Answer]] = {}
    answered: set[str] = set()
    is_new = not folder.exists()
    if is_new and not folder.is_unstarted():
        raise UsageError(f"{path} is not empty and holds no run; choose another --output")
    if not is_new:
        earlier = folder.loose_answers()
        is_new = folder.samples_hash() in ("", EMPTY_HASH) and not earlier
    if not is_new:
        before = folder.record()
        _refuse_differences(path, before, record)
        record = before
        asked = {question.key for question in plan.questions}
        for sample in folder.final_samples():
            if sample.outcome == "errored":
                earlier.setdefault(sample.key, []).extend(sample.answers)
            elif sample.key in asked:
                outcomes[sample.outcome] += 1
                answered.add(sample.key)
    return Session(
        plan=plan,
        adapter=adapter,
        record=record,
        folder=folder,
        is_new=is_new,
        outcomes=dict(outcomes),
        pending=tuple(question for question in plan.questions if question.key not in answered),
        earlier=earlier,
    )


def _refuse_differences(path: Path, earlier: RunRecord, now: RunRecord) -> None:
    if found := differences(earlier, now):
        lines = [f"  {key}: {before!r} there, {after!r} now" for key, before, after in found]
        raise UsageError(
            f"the run in {path} was made with other settings:\n" + "\n".join(lines) + "\nchoose another --output"
        )


def differences(one: RunRecord, other: RunRecord) -> list[tuple[str, Any, Any]]:
    """What makes two runs different ones: its name and its value in either."""
    before, after = _shown(one), _shown(other)
    return [
        (key, before.get(key), after.get(key))
        for key in dict.fromkeys((*before, *after))
        if before.get(key) != after.get(key)
    ]


def _shown(record: RunRecord) -> dict[str, Any]:
    settings = record.settings
    flat = msgspec.structs.asdict(settings)
    # What is given beside a strategy shows in what is asked.
    for shown_otherwise in ("prompt", "generation", "given", "ways"):
        del flat[shown_otherwise]
    asked = settings.values()
    templates = [text[:12] or "none" for text in asked.pop("style_hash")] or [NOT_KNOWN]
    del asked["model"], flat["style_hash"]  # the strategy names it
    asked["shots"] = tuple(dict.fromkeys(map(shots_asked, asked["shots"])))
    flat |= {name: values[0] if len(values) == 1 else values or NOT_KNOWN for name, values in asked.items()}
    flat["strategy"] = str(settings.strategy or "none")
    flat["text of the template"] = ", ".join(templates)
    return {
        "benchmark": record.benchmark.name,
        "model": record.model.identity,
        "model fingerprint": record.model.fingerprint,
        **flat,
        "questions": f"{record.question_count} ({record.questions_hash[:12]})",
    }


def ask(session: Session, tell: Callable[[Event], None], *, use_cache: bool, by_cluster: bool) -> None:
    """Asks what is pending; each answer is on disk the moment it exists.

    KeyboardInterrupt and errors of the adapter come through.
    """
    record = session.record
    if session.is_new:
        session.folder.start(record, session.plan.questions)
        remember(record)
    tell(
        Started(
            record=record,
            folder=str(session.folder.path),
            total=len(session.plan.questions),
            done=session.done,
            outcomes=session.outcomes,
        )
    )
    fingerprint = record.model.fingerprint
    if not session.is_new and not fingerprint and record.model.spec.startswith("python:"):
        tell(
            Warned(
                message=f"{session.folder.path} has answers of {record.model.spec}, which has no fingerprint(): "
                "they are kept, and can't be checked to be of the same model"
            )
        )
    if not session.pending:
        # A process that was killed after the last sample left them.
        session.folder.drop_answers()
        return
    cache = _cache_or_none(record, tell) if use_cache and fingerprint else None

    def stands_still(text: str) -> None:
        tell(Warned(message=text))

    def on_sample(sample: Sample) -> None:
        if sample.cost.cached < sample.cost.requests:
            activity.answered()
        tell(Answered(record=record, sample=sample))

    try:
        with SampleWriter(session.folder) as writer:
            loop = Loop(
                session.plan,
                session.adapter,
                writer,
                model=record.model.spec,
                cache=cache,
                on_sample=on_sample,
            )
            activity = ActivityLog(session.folder.path, loop.open_now, session.adapter.waits_for, stands_still)
            with activity:
                loop.run(_arranged(session, by_cluster=by_cluster), session.earlier)
            writer.drop_answers()
        _record_details(session, tell)
    finally:
        tell(Stopped(record=record))
        if cache is not None:
            cache.close()


def _arranged(session: Session, *, by_cluster: bool) -> tuple[Question, ...]:
    """What is pending in the order in which it's asked: questions that begin alike one after the other."""
    plan = session.plan
    if by_cluster:
        return tuple(cluster_by_cluster(session.pending, plan.root))
    if not session.adapter.capabilities().needs_content:
        return session.pending
    cells: dict[tuple[str, ...], list[Question]] = {}
    for question in session.pending:
        shots = plan.approach(question).renderer.shots
        cells.setdefault(shots.cell(question) if shots is not None else (), []).append(question)
    return tuple(question for cell in cells.values() for question in neighbours(cell, plan.root))


def _cache_or_none(record: RunRecord, tell: Callable[[Event], None]) -> ResponseCache | None:
    """The response cache; None, which is told, where it can't be used: a run needs none."""
    try:
        return ResponseCache(f"{record.model.identity}\n{record.model.fingerprint}")
    except RunError as error:
        tell(Warned(message=f"going on without a cache: {error}"))
        return None


def _record_details(session: Session, tell: Callable[[Event], None]) -> None:
    """Adds to `run.json` what the adapter knows of its model since it was loaded."""
    model = session.record.model
    name = model.spec.partition(":")[0]
    try:
        with guarded("model_adapters", name, f"to tell details of {model.spec}"):
            details = model.details | session.adapter.details()
    except RunError as error:
        tell(Warned(message=str(error)))  # everything is answered by now
        return
    record = msgspec.structs.replace(session.record, model=msgspec.structs.replace(model, details=details))
    session.folder.write_record(record)
