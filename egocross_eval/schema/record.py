"""What is needed to repeat a run: `run.json`."""

from __future__ import annotations

from typing import Any

from egocross_eval.schema.benchmark import BenchmarkRecord
from egocross_eval.schema.noun import Noun
from egocross_eval.schema.run_settings import RunSettings


class ModelRecord(Noun, frozen=True, kw_only=True):
    """The model of a run."""

    spec: str
    """As on the command line, `scheme:target,key=value`; holds no secret."""
    identity: str
    """`spec` without the options that can't change an answer (connections, time-outs)."""
    fingerprint: str
    """Identity for the response cache: changes whenever the weights or the engine's answer-relevant options change."""
    name: str
    """Display name in tables."""
    details: dict[str, Any] = {}
    """What the adapter says of itself: versions, parameters, dtype, ..."""


class ShardRecord(Noun, frozen=True, kw_only=True):
    """Which part of a run a shard is: what `merge` proves completeness by."""

    number: int
    of: int
    question_count: int
    """Of the whole run."""
    questions_hash: str
    """Of the whole run, as in its `RunRecord`."""
    places: tuple[int, ...]
    """Place of each of the shard's questions in the whole run, from 0."""


class Imported(Noun, frozen=True, kw_only=True):
    """Where an imported run comes from."""

    tool: str
    version: str = ""
    """As the log has it."""
    date: str = ""
    """As the log has it."""
    files: dict[str, str] = {}
    """SHA-256 by file name of what was read."""
    details: dict[str, Any] = {}
    """What else the log says."""
    settings_known: bool = False
    """Whether the log says how the questions were asked; otherwise the record's settings are none of the run's."""


class CombinedPart(Noun, frozen=True, kw_only=True):
    """A run that another is made of, or by which its parts were chosen."""

    name: str
    """Of its folder."""
    model: str
    """Its identity."""
    fingerprint: str
    settings: RunSettings
    samples_hash: str
    """SHA-256 of its `samples.jsonl`."""
    weight: float = 1.0


class Combined(Noun, frozen=True, kw_only=True):
    """How a run was made of others."""

    rule: str
    """`sum` of log-probabilities, `votes`, or the `best` run for each group."""
    parts: tuple[CombinedPart, ...]
    by: str = ""
    """Name of the grouping that the best run was chosen by; empty: one for all questions."""
    chosen_on: tuple[CombinedPart, ...] = ()
    """Runs on other questions that the best was chosen by, in the order of the parts."""
    choice: dict[str, str] = {}
    """Name of the chosen part by group."""

    def __str__(self) -> str:
        names = [part.name if part.weight == 1 else f"{part.weight:g} x {part.name}" for part in self.parts]
        return f"{self.rule} of {', '.join(names)}" + (f" by {self.by}" if self.by else "")


class RunRecord(Noun, frozen=True, kw_only=True):
    """`run.json`: what is needed to repeat a run."""

    schema_version: int
    benchmark: BenchmarkRecord
    model: ModelRecord
    settings: RunSettings
    data_root: str
    """Empty where the questions have no frames."""
    data_hashes: dict[str, str]
    """SHA-256 by file name of each question and answer file read."""
    question_count: int
    questions_hash: str
    """Hash of the asked questions without their answers: runs are comparable where it is equal."""
    created_at: str
    versions: dict[str, str]
    plugins: dict[str, str]
    """Version by distribution of every plugin that was loaded."""
    imported: Imported | None = None
    """Set where the answers come from another tool's log."""
    combined: Combined | None = None
    """Set where the run was made of other runs, and no model was asked."""
    shard: ShardRecord | None = None
    """Of a shard of a run."""
    untimed: dict[str, int] = {}
    """Questions that were to be shown with times and were shown without, as those of their frames aren't known: counts
    by what they have in common (`ENIGMA`; empty: nothing), of a shard those of the whole run."""
    judged: RunRecord | None = None
    """The run whose answers were judged: then `model` is the judge."""

    @property
    def title(self) -> str:
        """What tables call it: its model, and of a judging the model that was judged, and by whom."""
        return f"{self.judged.model.name}, judged by {self.judge_title}" if self.judged else self.model.name

    @property
    def judge_title(self) -> str:
        """By whom and how a judging was made, e.g. `gpt-4.1, mark ≥ 4`; empty for a run."""
        judge = self.settings.judge
        if self.judged is None or judge is None:
            return ""
        named = [self.model.name]
        if self.model.spec != f"{self.settings.grader}:":  # not so where rules judge, which have no threshold
            named += [f"mark ≥ {judge.judge_threshold:g}"]
            named += [f"{judge.prematch} prematch"] if judge.prematch != "exact" else []
            named += ["expected mark"] if judge.judge_answer == "choose" else []
            named += [f"rubric {judge.rubric}"] if judge.rubric else []
        return ", ".join(named)
