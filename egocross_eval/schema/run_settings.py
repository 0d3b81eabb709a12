"""How the questions of a run are asked, and how some of them are asked otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from egocross_eval.schema.noun import Noun
from egocross_eval.settings import GenerationSettings, JudgeSettings, PromptSettings


class Rule(Noun, frozen=True, kw_only=True):
    """A rule of a strategy: what is set for which questions."""

    match: dict[str, tuple[str, ...]] = {}
    """By label, the values that the rule is for; empty: every question."""
    settings: dict[str, Any] = {}
    """Values by setting: options of a run by their names, and `text`, `method`, `shots` and `model`."""
    line: int = 0
    """Where it begins in its file."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether it is for questions with these labels."""
        return all(labels.get(name, "") in values for name, values in self.match.items())


class Strategy(Noun, frozen=True, kw_only=True):
    """How questions are asked, by their labels: of the rules that set something, the last that matches counts."""

    name: str
    rules: tuple[Rule, ...]
    description: str = ""

    @property
    def hash(self) -> str:
        """SHA-256 of what it sets for which questions, wherever that stands in a file."""
        content = msgspec.json.encode([[rule.match, rule.settings] for rule in self.rules], order="deterministic")
        return hashlib.sha256(content).hexdigest()

    def __str__(self) -> str:
        return f"{self.name} ({self.hash[:12]})"


class RunSettings(Noun, frozen=True, kw_only=True):
    """Everything that decides which questions are asked and how; two runs with equal settings and model ask the
    same."""

    tasks: tuple[str, ...]
    split: str
    prompt: PromptSettings = PromptSettings()
    style_hash: str = ""
    """Hash of the user's template file; empty for a named style."""
    generation: GenerationSettings = GenerationSettings()
    method: str = "once"
    """How a question is asked: `name[:argument][,key=value...]`."""
    shots: str = ""
    """Examples before each question: `N[:feedback|:text]`."""
    strategy: Strategy | None = None
    """What is set otherwise for some questions."""
    given: tuple[str, ...] = ()
    """Options that the user gave beside a strategy: they count before what it says."""
    grader: str = "letter"
    """How a decision is graded."""
    limit: int | None = None
    judge: JudgeSettings | None = None
    """How the answers of a run were judged; None: this is a run."""
    rubric_hash: str = ""
    """SHA-256 of the rubric that a judge was given."""
    shard: str = ""
    """`K/N` for the Kth of N shards of a run; empty for a whole one."""
