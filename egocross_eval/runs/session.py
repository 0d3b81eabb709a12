"""A run from start to finish: a new or resumed folder, the loop, and the files derived at the end."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from egocross_eval.contracts.model import ModelAdapter
from egocross_eval.contracts.registry import Registry
from egocross_eval.errors import UsageError
from egocross_eval.grading.letter import judge_outcome
from egocross_eval.runs.cache import ResponseCache
from egocross_eval.runs.loop import Runner
from egocross_eval.runs.order import neighbours
from egocross_eval.runs.plan import RunPlan
from egocross_eval.runs.results import compute_results
from egocross_eval.runs.store import (
    LEADERBOARD_FILE,
    PREDICTIONS_FILE,
    RunFolder,
    SampleWriter,
    pretty_json,
    write_atomically,
)
from egocross_eval.runs.votes import read_again, read_prediction
from egocross_eval.schema import Question, Results, RunRecord, Sample
from egocross_eval.tasks.egocross.answers_file import AnswerRecord

EMPTY_HASH = hashlib.sha256().hexdigest()
"""Of a `samples.jsonl` without a line."""


class Progress(Protocol):
    """What shows how far a run is."""

    def start(self, total: int, done: list[Sample]) -> None:
        """A run begins with `done` already answered."""

    def sample(self, sample: Sample) -> None:
        """A question was answered."""

    def stop(self) -> None:
        """The loop ended, in whatever way."""


class Silent:
    """Shows nothing."""

    def start(self, total: int, done: list[Sample]) -> None:
        """Nothing."""

    def sample(self, sample: Sample) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A run that's ready to ask."""

    plan: RunPlan
    adapter: ModelAdapter
    record: RunRecord
    folder: RunFolder
    done: tuple[Sample, ...]
    pending: tuple[Question, ...]


def open_session(plan: RunPlan, adapter: ModelAdapter, record: RunRecord, path: Path) -> Session:
    """Starts a run in a new folder, or goes on with the one that is there.

    Raises `UsageError`, showing the difference, where the folder's run was made with other settings.
    """
    folder = RunFolder(path)
    done: list[Sample] = []
    if folder.exists() and folder.samples_hash() not in ("", EMPTY_HASH):
        earlier = folder.record()
        _refuse_differences(path, earlier, record)
        asked = {question.question_id for question in plan.questions}
        done = [sample for sample in folder.samples() if sample.outcome != "errored" and sample.key in asked]
        record = earlier
    elif path.is_dir() and any(path.iterdir()) and not folder.exists():
        raise UsageError(f"{path} is not empty and holds no run; choose another --output")
    answered = {sample.key for sample in done}
    pending = tuple(question for question in plan.questions if question.question_id not in answered)
    return Session(plan=plan, adapter=adapter, record=record, folder=folder, done=tuple(done), pending=pending)


def _refuse_differences(path: Path, earlier: RunRecord, now: RunRecord) -> None:
    def shown(record: RunRecord) -> dict[str, Any]:
        settings = msgspec.structs.asdict(record.settings)
        flat = {**msgspec.structs.asdict(settings.pop("generation")), **settings}
        flat["text of the template"] = flat.pop("style_hash")[:12] or "none"
        return {
            "model": record.model.identity,
            "model fingerprint": record.model.fingerprint,
            **flat,
            "questions": f"{record.question_count} ({record.questions_hash[:12]})",
        }

    before, after = shown(earlier), shown(now)
    differences = [
        f"  {key}: {before.get(key)!r} there, {after.get(key)!r} now"
        for key in dict.fromkeys((*before, *after))
        if before.get(key) != after.get(key)
    ]
    if differences:
        raise UsageError(
            f"the run in {path} was made with other settings:\n" + "\n".join(differences) + "\nchoose another --output"
        )


def run_session(session: Session, registry: Registry, progress: Progress, *, use_cache: bool) -> Results:
    """Asks what is pending and writes the derived files, also when it ends early; then raises what ended it.

    KeyboardInterrupt and errors of the adapter come through after all that was answered is on disk and scored.
    """
    if not session.done:
        session.folder.write_record(session.record, session.plan.questions)
    observers = _Observers(registry.hook)
    observers.call(
        "egocross_run_started", record=session.record, total=len(session.plan.questions), done=len(session.done)
    )
    if session.pending:
        _ask(session, observers, progress, use_cache=use_cache)
    results = _current_results(session) or finish(session.folder, session.plan.questions)
    observers.call("egocross_run_finished", record=session.record, results=results)
    return results


def _current_results(session: Session) -> Results | None:
    """The results that are there, if nothing was asked and no answer came to be known since they were written."""
    if session.pending or not session.folder.has_results():
        return None
    results = session.folder.results()
    if results.samples_hash != session.folder.samples_hash():
        return None
    if results.counts.get("unscored") and any(question.answer is not None for question in session.plan.questions):
        return None
    return results


def _ask(session: Session, observers: _Observers, progress: Progress, *, use_cache: bool) -> None:
    fingerprint = session.record.model.fingerprint
    cache = ResponseCache(f"{session.record.model.identity}\n{fingerprint}") if use_cache and fingerprint else None

    def on_sample(sample: Sample) -> None:
        progress.sample(sample)
        observers.call("egocross_question_answered", record=session.record, sample=sample)

    runner = Runner(session.plan, session.adapter, session.record, session.folder, cache=cache, on_sample=on_sample)
    progress.start(len(session.plan.questions), list(session.done))
    try:
        runner.execute(neighbours(session.pending, session.plan.root))
        _record_details(session)
    except BaseException:
        progress.stop()
        finish(session.folder, session.plan.questions)
        raise
    finally:
        progress.stop()
        if cache is not None:
            cache.close()


def _record_details(session: Session) -> None:
    """Adds to `run.json` what the adapter knows of its model since it was loaded."""
    model = session.record.model
    details = model.details | session.adapter.details()
    record = msgspec.structs.replace(session.record, model=msgspec.structs.replace(model, details=details))
    session.folder.write_record(record, session.plan.questions)


class _Observers:
    """Calls the observing hooks; a plugin that raises is warned of once and told no more, and never ends a run."""

    def __init__(self, hook: Any) -> None:
        self._hook = hook
        self._silenced: set[str] = set()

    def call(self, name: str, **arguments: object) -> None:
        # One by one, unlike pluggy's own call: a plugin that raises must not keep the others from being told.
        for implementation in reversed(getattr(self._hook, name).get_hookimpls()):
            if implementation.plugin_name in self._silenced:
                continue
            try:
                implementation.function(*(arguments[argument] for argument in implementation.argnames))
            except Exception as error:
                self._silenced.add(implementation.plugin_name)
                warnings.warn(
                    f"the plugin {implementation.plugin_name!r} failed in {name} and is told no more: {error!r}",
                    stacklevel=2,
                )


def known_answers(questions: Iterable[Question]) -> dict[str, AnswerRecord]:
    """The right answers that questions carry, by question_id."""
    return {
        question.question_id: AnswerRecord(
            id=question.id,
            correct_option_letter=question.answer,
            answer_text=question.answer_text,
            detailed_answer=question.detailed_answer,
        )
        for question in questions
        if question.answer is not None
    }


def rescore(folder: RunFolder, answers: Mapping[str, AnswerRecord]) -> int:
    """Reads every kept output again with the present rules and the given answers (by question_id).

    What changed is appended to `samples.jsonl`; returns how many changed. Questions without a new answer keep theirs.
    """
    changed = 0
    samples = folder.samples()
    with SampleWriter(folder) as writer:
        for sample in samples:
            known = answers.get(sample.question.question_id)
            question = sample.question
            if known is not None:
                question = msgspec.structs.replace(
                    question,
                    answer=known.correct_option_letter,
                    answer_text=known.answer_text,
                    detailed_answer=known.detailed_answer,
                )
            votes = tuple(read_again(question, vote) for vote in sample.votes)
            prediction = read_prediction(question, sample.response, votes)
            outcome = judge_outcome(question, sample.response, prediction)
            again = msgspec.structs.replace(
                sample, question=question, prediction=prediction, outcome=outcome, votes=votes
            )
            if again != sample:
                writer.write(again)
                changed += 1
    return changed


def finish(folder: RunFolder, questions: tuple[Question, ...] | None = None) -> Results:
    """Derives `results.json`, `predictions.json` and `leaderboard.md` from the samples.

    Where `questions` are given and hold answers that the samples lack, the samples are scored again first.
    """
    from egocross_eval.leaderboard.render import render
    from egocross_eval.leaderboard.rows import row_from_run
    from egocross_eval.tasks.egocross.submission import prediction_entries

    record = folder.record()
    samples = folder.samples()
    answers = known_answers(questions or ())
    if any(s.outcome == "unscored" and s.question.question_id in answers for s in samples):
        rescore(folder, answers)
        samples = folder.samples()
    results = compute_results(folder)
    folder.write_results(results)
    write_atomically(folder.path / PREDICTIONS_FILE, pretty_json(prediction_entries(samples)))
    row = row_from_run(record, results, source=folder.path.name, origin_hash=results.samples_hash)
    write_atomically(folder.path / LEADERBOARD_FILE, render([row], "md", intervals="half-width").encode())
    return results
