"""The Python interface: `evaluate` a model, `load_run` a run folder; and `run`, the one way in which a run is made."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import msgspec

from egocross_eval.contracts.event import Ended, Event, Warned
from egocross_eval.contracts.exporter import ExportedRun
from egocross_eval.contracts.faults import guarded
from egocross_eval.contracts.model import ModelAdapter
from egocross_eval.contracts.registry import Registry, registry
from egocross_eval.contracts.spec import read_options, split_part, split_spec
from egocross_eval.contracts.task import Target
from egocross_eval.counted import agreed, counted
from egocross_eval.errors import RunError, UsageError, warn_caller
from egocross_eval.files import remove_unfinished, slug
from egocross_eval.judging import Judge, check_questions, judge_run, ready_judges
from egocross_eval.leaderboard.believed import current_results, results_in
from egocross_eval.leaderboard.derived import derive, grade_again, known_targets
from egocross_eval.model_adapters.spec import ModelSpec, asked_of, parse_spec
from egocross_eval.runs.dataset import believed_root, dataset_of
from egocross_eval.runs.early_stop import EarlyStop, StoppedEarlyError
from egocross_eval.runs.first_answers import FirstAnswers
from egocross_eval.runs.judging import judgings
from egocross_eval.runs.options import RunOptions, options_from
from egocross_eval.runs.plan import RunPlan, adapter_for, check_capabilities, plan_run
from egocross_eval.runs.session import ask, open_session
from egocross_eval.runs.store import LEADERBOARD_FILE, PREDICTIONS_FILE, RunFolder
from egocross_eval.runs.telling import Teller, followers
from egocross_eval.schema import Results, RunRecord, Sample
from egocross_eval.settings import AnswerMode, Media, Prematch

if TYPE_CHECKING:
    from datasets import Dataset


class RunKeywords(TypedDict, total=False):
    """Options of a run as keywords: the fields of `RunOptions` and of the settings in it, by their names as options.
    `tasks` is an argument of its own."""

    data: Path | str | Sequence[Path | str] | None
    split: str
    questions: Path | str | None
    answers: Path | str | None
    style: str
    frames: str
    shuffled: bool
    media: Media
    timestamps: bool
    show_options: bool
    max_pixels: int | None
    answer: AnswerMode
    max_new_tokens: int
    temperature: float
    top_p: float
    seed: int
    method: str
    shots: str
    strategy: str
    ids: str
    limit: int | None
    shard: str
    by_cluster: bool
    stop_against: Path | str | None
    name: str
    cache: bool
    track: str | Sequence[str]
    judge: str | Sequence[str]
    judge_threshold: float
    prematch: Prematch
    judge_answer: Literal["generate", "choose"]
    rubric: str
    judge_grader: str
    judge_max_new_tokens: int
    judge_temperature: float


class JudgeKeywords(TypedDict, total=False):
    """Settings of a judging as keywords."""

    judge_threshold: float
    prematch: Prematch
    judge_answer: Literal["generate", "choose"]
    rubric: str
    judge_grader: str
    judge_max_new_tokens: int
    judge_temperature: float


class Run:
    """A run folder that was read or just made."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    @property
    def path(self) -> Path:
        """The run folder."""
        return self._folder.path

    @property
    def folder(self) -> RunFolder:
        """Reads and writes the run folder."""
        return self._folder

    @property
    def record(self) -> RunRecord:
        """What was run: model, settings, versions, data hashes."""
        return self._folder.record()

    @property
    def results(self) -> Results:
        """Figures with their intervals, and the counts: what `results.json` says where it belongs to the samples that
        are there, else found anew from them; of a run that isn't finished, those so far.

        Warns where `results.json` is of other samples; raises `UsageError` where its figures contradict each other.
        """
        return results_in(self._folder)

    @property
    def judgings(self) -> list[Run]:
        """What judges made of the run's answers, by name; each reads as a run does."""
        return [Run(folder) for folder in judgings(self.path)]

    @property
    def samples(self) -> list[Sample]:
        """Every answered question in the order of question ids."""
        return self._folder.samples()

    def to_dataset(self, data: Path | str | None = None) -> Dataset:
        """The samples as a `datasets.Dataset`, a row for each; see `runs.dataset.dataset_of` for its columns.

        Frames are in it, not decoded, if `data` says where they lie or the run was made here. Raises `UnsafePathError`
        for a frame outside that folder.
        """
        samples = self.samples
        return dataset_of(samples, believed_root(self.record, Path(data) if data is not None else None, samples))

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"


def load_run(path: Path | str) -> Run:
    """The run in a folder. Raises `UsageError` where there's none or it can't be read."""
    folder = RunFolder(path)
    folder.record()
    return Run(folder)


def evaluate(
    model: str | ModelAdapter,
    tasks: str | None = None,
    *,
    output: Path | str | None = None,
    options: RunOptions | None = None,
    on_event: Callable[[Event], None] | None = None,
    **keywords: Unpack[RunKeywords],
) -> Run:
    """Runs a model over tasks and returns the run; an existing run in `output` with the same settings is resumed.

    Args:
        model: a model spec (`"hf:./checkpoint"`), or an adapter object of your own, which stays open.
        tasks: comma-separated names and globs, as for `--tasks`; by default `all`.
        output: run folder; by default a new one below `runs/`.
        options: all options at once; `keywords` override it.
        on_event: what to tell of the run while it goes on; by default warnings are Python's and the rest is silent.
        keywords: single options (`data=ROOT`, `frames="uniform:8"`, `timestamps=True`, ...), as on the command line.
            One that may be repeated there takes a text or a list: `judge="rules"`, `judge=["rules", "hf:./judge"]`.
            What the judges said is in `judgings` of the run.

    Errors of single questions don't raise: look at `run.results.complete`, which is true just where the command line
    ends with exit code 0, and `run.results.counts`.

    Raises:
        UsageError: unknown names, impossible settings, a folder made with other settings.
        DataError: missing or malformed data files.
        RunError: the adapter broke; what was answered is kept in `output`.

    Examples:
        >>> run = evaluate("baseline:constant,letter=B", split="demo")  # doctest: +SKIP
        >>> run.results.micro.accuracy  # doctest: +SKIP
    """
    given: dict[str, Any] = dict(keywords)
    if tasks is not None:
        given["tasks"] = tasks
    return run(options_from(options, **given), model, output=output, on_event=on_event or _warn)


def _warn(event: Event) -> None:
    if isinstance(event, Warned):
        warn_caller(event.message)


def run(
    options: RunOptions,
    model: str | ModelAdapter,
    *,
    output: Path | str | None = None,
    on_event: Callable[[Event], None] = _warn,
    plan: RunPlan | None = None,
) -> Run:
    """Makes a run or goes on with one: plans, asks, and writes the derived files, also where it ends early.

    `plan` saves planning the same options again for another model. What happens is told to `on_event` and to the
    plugins that observe. Raises as `evaluate`; KeyboardInterrupt and errors of the adapter come through after all that
    was answered is on disk and scored.
    """
    if not isinstance(model, str | ModelAdapter):
        raise UsageError(f"the model is {model!r}: give a spec such as 'hf:./checkpoint', or an adapter object")
    known = registry()
    plan = plan or plan_run(options, known)
    judges = _ready_judges(options, plan, known)
    following = followers(options, known)
    spec = parse_spec(model) if isinstance(model, str) else ModelSpec(scheme="python", target=type(model).__name__)
    if options.name:
        spec = msgspec.structs.replace(spec, name=options.name)
    if plan.approaches.models() and not isinstance(model, str):
        raise UsageError(f"strategy {plan.settings.strategy} names models: give the run's model as a spec too")
    adapter = adapter_for(plan, spec, known) if isinstance(model, str) else model
    ours = _closing(adapter, spec, known, on_event) if isinstance(model, str) else contextlib.nullcontext()
    with Teller(on_event, known, following) as tell:
        with ours:
            check_capabilities(plan, adapter, spec, known)
            path = Path(output) if output is not None else default_output(spec, options)
            session = open_session(plan, adapter, plan.record(spec, adapter, known), path)
            remove_unfinished(path)
            for message in plan.warnings:
                tell(Warned(message=message))
            folder, record, asks = session.folder, session.record, bool(session.pending)
            targets = known_targets(session.plan.questions) if session.outcomes.get("unscored") else {}
            by_cluster = options.by_cluster or options.stop_against is not None
            if options.stop_against is not None:
                tell.add(EarlyStop(options.stop_against, session))
            if session.is_new:
                tell.add(FirstAnswers(session.record.settings))
            # Deriving needs no question in memory: what a large run holds of them is let go before.
            del plan
            try:
                ask(session, tell, use_cache=options.cache, by_cluster=by_cluster)
            except StoppedEarlyError as stopped:
                tell(Warned(message=f"{stopped} The same command without --stop-against asks the rest."))
            except BaseException:
                folder.discard_unanswered()
                raise
            finally:
                del session
                results = _derived(folder, targets, known, asked=asks) if folder.exists() else None
            if results is not None:
                tell(Ended(record=record, results=results))
        if judges:
            _judge(folder.path, judges, known, tell=tell, use_cache=options.cache)
    return Run(folder)


@contextlib.contextmanager
def _closing(
    adapter: ModelAdapter, spec: ModelSpec, known: Registry, on_event: Callable[[Event], None]
) -> Iterator[None]:
    """Frees what the adapter holds at the end; what it raises then is no fault of the run."""
    try:
        yield
    finally:
        try:
            with asked_of(spec, known):
                adapter.close()
        except RunError as error:
            on_event(Warned(message=str(error)))


def _ready_judges(options: RunOptions, plan: RunPlan, known: Registry) -> list[Judge]:
    """The judges of the options, checked against the questions before any is asked."""
    if not options.judge:
        return []
    closed = sum(bool(question.options) for question in plan.questions)
    if closed:
        raise UsageError(
            f"--judge: {closed} of {counted(len(plan.questions), 'question')} {agreed(closed, 'has', 'have')} "
            "options, and a judge marks answers in free "
            "words; ask the open tasks: --tasks open"
        )
    judges = ready_judges(options.judge, options.judging, known)
    for one in judges:
        check_questions(one.grader, plan.questions)
    return judges


def judge(
    run: Run | Path | str,
    judges: str | ModelAdapter | Sequence[str | ModelAdapter],
    *,
    targets: Mapping[str, Target] | None = None,
    cache: bool = True,
    on_event: Callable[[Event], None] | None = None,
    **keywords: Unpack[JudgeKeywords],
) -> list[Run]:
    """Has the free answers of a run judged, and returns the judgings, one for each judge; those there are gone on with.

    Args:
        run: a run of questions without options, or its folder.
        judges: model specs, adapters of your own, or `rules`.
        targets: right answers by question key, where the run knows none.
        cache: whether the response cache is used.
        on_event: what to tell while it goes on; by default warnings are Python's.
        keywords: settings, such as `judge_threshold=4` or `rubric="mine.yaml"`.

    Raises `UsageError` for a judge, a rubric, answers or a run that can't be used, before anything is asked.
    """
    known = registry()
    given = [judges] if isinstance(judges, str | ModelAdapter) else list(judges)
    settings = options_from(None, **keywords).judging
    path = run.path if isinstance(run, Run) else Path(run)
    ready = ready_judges(given, settings, known)
    with Teller(on_event or _warn, known) as tell:
        return [Run(folder) for folder in _judge(path, ready, known, targets=targets, tell=tell, use_cache=cache)]


def _judge(path: Path, judges: Sequence[Judge], known: Registry, **more: Any) -> list[RunFolder]:
    try:
        return judge_run(path, judges, known, **more)
    finally:
        for one in judges:
            one.close()


def _derived(folder: RunFolder, targets: Mapping[str, Target], known: Registry, *, asked: bool) -> Results:
    """The results of a folder, derived anew unless nothing changed since they were; by `targets` that were not known
    when it was scored."""
    if not asked and (found := _current(folder, targets_known=bool(targets))) is not None:
        return found
    if targets:
        grade_again(folder, targets, known)
    return derive(folder, known)


def _current(folder: RunFolder, *, targets_known: bool) -> Results | None:
    """The results as they were derived; None where something must be derived anew."""
    if not all((folder.path / name).is_file() for name in (PREDICTIONS_FILE, LEADERBOARD_FILE)):
        return None
    found = current_results(folder)
    return None if found is None or (found.counts.get("unscored") and targets_known) else found


def export_run(run: Path | str, form: str, *, output: Path | str | None = None) -> str:
    """Writes a run in the form `name[,key=value...]`, by default within its folder; returns a line that says what.

    Raises `UsageError` for an unknown form or option, and for a run that it doesn't take.
    """
    known = registry()
    exporter = known.exporter(split_spec(form, "form").name)
    name, _, given = split_part(form, "form", exporter.options, takes_argument=False)
    options = read_options(f"form {name}", exporter.options, given)
    folder = RunFolder(run)
    record = folder.record()
    if record.judged is not None:
        raise UsageError(
            f"{folder.path} is a judging, and other tools' forms have no place for who judged: export its run, or take "
            f"{folder.path / PREDICTIONS_FILE}"
        )
    if exporter.benchmarks and record.benchmark.name not in exporter.benchmarks:
        raise UsageError(f"{folder.path} is a run of {record.benchmark.title}; {name} takes {exporter.benchmarks[0]}")
    exported = ExportedRun(
        name=folder.path.resolve().name,
        record=record,
        results=results_in(folder),
        samples=folder.samples(),
    )
    with guarded("exporters", name, f"on {folder.path}", known=known):
        said = exporter.export(
            exported, Path(output) if output is not None else folder.path / exporter.default, options
        )
    return f"{said}{_left_open(exported.results)}"


def _left_open(results: Results) -> str:
    """What an export lacks, for the end of a line; empty where it lacks nothing."""
    counts = results.counts
    left = [f"{counts[name]} {name}" for name in ("errored", "missing") if counts.get(name)]
    return f" (the run isn't complete: of {counted(counts['total'], 'question')} {' and '.join(left)})" if left else ""


def default_output(spec: ModelSpec, options: RunOptions) -> Path:
    """`runs/<model>-<tasks>-<time>`, in letters that every file system takes."""
    time = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    tasks = f"{options.tasks} shard {options.shard}" if options.shard else options.tasks
    base = Path("runs") / f"{slug(options.name or spec.display_name)}-{slug(tasks)}-{time}"
    path, number = base, 2
    while path.exists():
        path = base.with_name(f"{base.name}-{number}")
        number += 1
    return path
