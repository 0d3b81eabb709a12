"""From a log of another tool to a run folder: the one way in which runs are imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from egocross_eval.api import Run, load_run
from egocross_eval.contracts.faults import guarded
from egocross_eval.contracts.importer import ForeignRun, Importer
from egocross_eval.contracts.registry import Registry, registry
from egocross_eval.contracts.task import DataOptions
from egocross_eval.documents import decode_json
from egocross_eval.errors import DataError, EgoCrossError, RunError, UsageError, warn_caller
from egocross_eval.files import read_bytes
from egocross_eval.interop.importing.joining import Joined, join
from egocross_eval.interop.importing.naming import read_map
from egocross_eval.interop.importing.writing import Comparison, imported_record, write_run
from egocross_eval.runs.options import RunOptions
from egocross_eval.runs.plan import RunPlan, plan_run
from egocross_eval.runs.store import RunFolder, questions_hash
from egocross_eval.schema import Question
from egocross_eval.settings import PromptSettings

AUTO = "auto"


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a log is imported."""

    tool: str = AUTO
    """Name of an importer; `auto`: the one that recognises the log."""
    tasks: str = ""
    """Questions that were asked; empty: as the log says, or all."""
    data: DataOptions = DataOptions()
    names: Path | None = None
    """A JSON mapping from the tool's names of questions to ours."""
    in_order: bool = False
    """The tool asked all questions in the order of their ids."""
    name: str = ""
    """What tables call the run; empty: as the log calls the model."""
    version: str = ""
    """Of the tool, for logs that don't say."""


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """What was imported, and how it went."""

    run: Run
    tool: str
    joined: Joined
    comparison: Comparison

    @property
    def is_complete(self) -> bool:
        """As the run's results have it."""
        return self.run.results.complete


def import_run(log: Path, output: Path, options: ImportOptions | None = None) -> Import:
    """Makes a run folder of another tool's log.

    What isn't sure is left out and listed in `joined`. Raises `UsageError` for a log that no importer or several
    recognise, for a run folder, or for questions other than those that were asked, `DataError` for one of no known
    form.
    """
    options = options or ImportOptions()
    known = registry()
    _refuse_run(log)
    importer = choose_importer(log, options.tool, known)
    with guarded("importers", importer.name, f"on {log}", kind=DataError, known=known):
        foreign = importer.read(log)
    if not foreign.version:
        foreign = msgspec.structs.replace(foreign, version=options.version)
    plan = plan_run(_run_options(foreign, options), known)
    questions = _asked(foreign, plan)
    names = read_map(options.names) if options.names is not None else None
    joined = join(questions, foreign.answers, in_order=options.in_order, names=names)
    if not joined.answers:
        listed = "".join(f"; {line}" for line in msgspec.structs.replace(joined, missing=()).lines())
        raise UsageError(f"{log}: none of its answers ({len(foreign.answers)}) is to one of the questions here{listed}")
    record = imported_record(importer.name, foreign, plan, questions, options.name, known)
    comparison = write_run(output, record, questions, joined, plan, known, foreign.files)
    return Import(run=load_run(output), tool=importer.name, joined=joined, comparison=comparison)


def _refuse_run(log: Path) -> None:
    """Raises `UsageError` for a run folder, whatever was exported into it."""
    folder = RunFolder(log)
    try:
        is_run = folder.exists() and bool(folder.record())
    except EgoCrossError:
        return  # another tool's run.json
    if is_run:
        raise UsageError(f"{log} is a run folder already: 'egocross-eval view {log}' shows it, 'compare' compares it")


def choose_importer(log: Path, name: str, known: Registry) -> Importer:
    """The importer of that name, or the one that recognises the log. Raises `UsageError` where that's not one."""
    if name != AUTO:
        return known.importer(name)
    found = [importer for importer in known.importers.values() if _recognises(importer, log, known)]
    if not found and log.is_file() and log.suffix == ".json":
        # What is cut off or otherwise no JSON is recognised by nobody: that is to be said first.
        decode_json(read_bytes(log), object, str(log))
    if len(found) != 1:
        which = " and ".join(importer.name for importer in found)
        why = f"may be of {which}" if found else "isn't recognised"
        raise UsageError(f"{log} {why}: name its tool by --from, one of {', '.join(known.importers)}")
    return found[0]


def _recognises(importer: Importer, log: Path, known: Registry) -> bool:
    """Whether it says so; one that breaks on the log does not, which is said."""
    try:
        with guarded("importers", importer.name, f"to recognise {log}", known=known):
            return importer.recognises(log)
    except RunError as error:
        warn_caller(str(error))
        return False


def _run_options(foreign: ForeignRun, options: ImportOptions) -> RunOptions:
    """The options that choose the questions: as the log says, unless the user does."""
    if foreign.settings is None:
        return RunOptions(tasks=options.tasks or "all", data=options.data)
    settings, data = foreign.settings, options.data
    # The words of a template file aren't in the log.
    prompt = settings.prompt if not settings.style_hash else PromptSettings()
    return RunOptions(
        tasks=",".join(settings.tasks),
        data=data if data.split else msgspec.structs.replace(data, split=settings.split),
        prompt=prompt,
        generation=settings.generation,
        ids=foreign.ids,
        limit=settings.limit,
    )


def _asked(foreign: ForeignRun, plan: RunPlan) -> Sequence[Question]:
    """The questions that were asked, as far as the log says; `UsageError` where they aren't those of here."""
    if foreign.questions_hash and foreign.questions_hash != questions_hash(plan.questions):
        raise UsageError(
            f"the questions of {', '.join(plan.settings.tasks)}, split {plan.settings.split}, aren't those that were "
            "asked; name the data by --data (or the split by --split) that the tasks were made with"
        )
    record = plan.benchmark.record()
    parts = set(foreign.parts) or {record.part(question) for question in plan.questions}
    return [question for question in plan.questions if record.part(question) in parts]
