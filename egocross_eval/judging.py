"""The one way in which a run's free answers are judged: checks every judge, then asks one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from egocross_eval.contracts.event import Ended, Event, Warned
from egocross_eval.contracts.faults import guarded
from egocross_eval.contracts.grader import Grader
from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.contracts.registry import Registry
from egocross_eval.contracts.task import Target
from egocross_eval.counted import agreed, counted
from egocross_eval.errors import UsageError
from egocross_eval.files import remove_unfinished, slug
from egocross_eval.grading.rubric import read_rubric
from egocross_eval.leaderboard.derived import derive
from egocross_eval.model_adapters.spec import ModelSpec, asked_of, build_adapter, parse_spec
from egocross_eval.runs.judging import JUDGES_FOLDER, Case, JudgePlan, cases_of, judge_plan, open_judging
from egocross_eval.runs.session import ask
from egocross_eval.runs.store import RunFolder
from egocross_eval.schema import Question, RunRecord
from egocross_eval.settings import JudgeSettings

Tell = Callable[[Event], None]


class Judge(msgspec.Struct, frozen=True, kw_only=True):
    """A judge that is ready: it can be built and gives what is wanted of it."""

    spec: ModelSpec
    adapter: ModelAdapter
    grader: Grader
    settings: JudgeSettings
    rubric_hash: str = ""
    ours: bool = True
    """The adapter was made here, and is closed here."""
    closed: list[bool] = msgspec.field(default_factory=list)
    """Not empty once it is closed; shared by copies of the judge."""

    @property
    def folder(self) -> str:
        """Name of the folder of its judgings: other settings, other folders."""
        if not self.grader.asks:
            return slug(self.spec.text)
        names = [self.spec.folder_name, f"mark{self.settings.judge_threshold:g}"]
        if self.settings.prematch != "exact":
            names.append(self.settings.prematch)
        if self.settings.judge_answer != "generate":
            names.append(self.settings.judge_answer)
        shown = msgspec.structs.replace(self.settings, judge_threshold=4.0, prematch="exact", judge_answer="generate")
        if shown != JudgeSettings():
            others = msgspec.json.encode((shown, self.rubric_hash))
            names.append(hashlib.sha256(others).hexdigest()[:6])
        return slug("-".join(names))

    def close(self) -> None:
        """Frees the adapter if it was made here; once, however often it's called."""
        if self.ours and not self.closed:
            self.closed.append(True)
            self.adapter.close()


class _Nobody(ModelAdapter):
    """In the place of a judge where rules judge: it's never asked."""

    def capabilities(self) -> Capabilities:
        return Capabilities(needs_content=False)


def ready_judge(judge: str | ModelAdapter, settings: JudgeSettings, registry: Registry) -> Judge:
    """The judge of a model spec, of the name of a grader that asks nobody, or an adapter of one's own.

    Raises `UsageError` for a spec, rubric or grader that can't be used, and a judge that can't give what is wanted.
    """
    if isinstance(judge, str) and ":" not in judge and judge in registry.graders:
        grader = registry.grader(judge)
        if grader.asks:
            raise UsageError(
                f"--judge {judge}: the grader {judge!r} asks a model; name one, e.g. --judge openai:gpt-4.1"
            )
        spec = ModelSpec(scheme=judge, target="", name=judge)
        plain = JudgeSettings(judge_grader=judge)
        return Judge(spec=spec, adapter=_Nobody(), grader=_configured(grader, plain), settings=plain)
    grader = registry.grader(settings.judge_grader)
    if not grader.asks:
        raise UsageError(f"--judge-grader {grader.name}: it asks no model; judge by it with --judge {grader.name}")
    configured = _configured(grader, settings)
    _, rubric = read_rubric(Path(settings.rubric) if settings.rubric else None)
    if isinstance(judge, str):
        spec, ours = parse_spec(judge), True
        adapter = build_adapter(spec, registry)
    else:
        spec, ours, adapter = ModelSpec(scheme="python", target=type(judge).__name__), False, judge
    kept = msgspec.structs.replace(settings, rubric=Path(settings.rubric).name if settings.rubric else "")
    made = Judge(spec=spec, adapter=adapter, grader=configured, settings=kept, rubric_hash=rubric, ours=ours)
    if settings.judge_answer == "choose" and not _tells_scores(made, registry):
        made.close()
        raise UsageError(f"{spec.text}: can't compare log-probabilities here; use --judge-answer generate")
    return made


def _configured(grader: Grader, settings: JudgeSettings) -> Grader:
    with guarded("graders", grader.name, "to take its settings"):
        return grader.configured(settings)


def _tells_scores(judge: Judge, registry: Registry) -> bool:
    try:
        with asked_of(judge.spec, registry):
            return judge.adapter.capabilities().scores
    except BaseException:
        judge.close()
        raise


def check_questions(grader: Grader, questions: Sequence[Question]) -> None:
    """Raises `UsageError` where the grader can't grade these questions, `RunError` where its code breaks."""
    with guarded("graders", grader.name, "to check the questions"):
        grader.check(questions)


def ready_judges(judges: Sequence[str | ModelAdapter], settings: JudgeSettings, registry: Registry) -> list[Judge]:
    """All judges, none twice; errors as `ready_judge` raises them, before anybody is asked."""
    if not judges:
        raise UsageError("no judge: pass --judge SPEC ('egocross-eval models' lists what there is), or --judge rules")
    made: list[Judge] = []
    try:
        for judge in judges:
            made.append(ready_judge(judge, settings, registry))
            if made[-1].folder in {other.folder for other in made[:-1]}:
                raise UsageError(f"two judges would be called {made[-1].folder!r}; name one: --judge SPEC,name=TEXT")
    except BaseException:
        for judge_made in made:
            judge_made.close()
        raise
    return made


def judge_run(
    path: Path,
    judges: Sequence[Judge],
    registry: Registry,
    *,
    targets: Mapping[str, Target] | None = None,
    tell: Tell,
    use_cache: bool = True,
) -> list[RunFolder]:
    """Judges the answers of a run by each judge; judgings that are there are gone on with.

    Each is a folder below the run's. Every judge is checked against the questions before the first is asked.
    """
    folder = RunFolder(path)
    record = folder.record()
    if record.judged is not None:
        raise UsageError(f"{path} is a judging already; name its run: {path.resolve().parents[1]}")
    cases = cases_of(folder, targets or {})
    if not cases:
        raise UsageError(f"{path} holds no answer yet: there is nothing to judge")
    questions = _questions(folder, cases)
    plans = [plan_for(judge, cases, questions, record, registry) for judge in judges]
    left = record.question_count - len(cases)
    if left:
        tell(
            Warned(
                message=f"{left} of {counted(record.question_count, 'question')} of the run "
                f"{agreed(left, 'has', 'have')} no answer yet"
            )
        )
    return [
        judge_cases(plan, judge, path / JUDGES_FOLDER / judge.folder, registry, tell=tell, use_cache=use_cache)
        for plan, judge in zip(plans, judges, strict=True)
    ]


def _questions(folder: RunFolder, cases: Sequence[Case]) -> list[Question]:
    """All questions of the run, those that were answered as they are judged."""
    judged = {case.question.key: case.question for case in cases}
    return [judged.get(question.key, question) for question in folder.questions()]


def plan_for(
    judge: Judge, cases: Sequence[Case], questions: Sequence[Question], record: RunRecord, registry: Registry
) -> JudgePlan:
    """How a judge judges the cases of a run with that record. Raises `UsageError` where it can't."""
    return judge_plan(cases, questions, record, judge.grader, judge.settings, registry, rubric_hash=judge.rubric_hash)


def judge_cases(
    plan: JudgePlan, judge: Judge, path: Path, registry: Registry, *, tell: Tell, use_cache: bool = True
) -> RunFolder:
    """Asks the judge what is pending in the folder `path`, and writes the derived files, also where it ends early."""
    record = plan.record(judge.spec, judge.adapter, registry)
    session = open_judging(plan, judge.adapter, record, path)
    remove_unfinished(path)
    folder = session.folder
    try:
        ask(session, tell, use_cache=use_cache, by_cluster=False)
    except BaseException:
        folder.discard_unanswered()
        raise
    finally:
        # Before the next judge loads its model.
        judge.close()
        results = derive(folder, registry) if folder.exists() else None
    if results is not None:
        tell(Ended(record=session.record, results=results))
    return folder
