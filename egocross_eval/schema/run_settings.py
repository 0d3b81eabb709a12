"""How the questions of a run are asked, and how some of them are asked otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from egocross_eval.schema.noun import Noun
from egocross_eval.settings import GenerationSettings, JudgeSettings, PromptSettings, options_of

COVERED = "covered"
"""Behind a number of shots: questions that no example suits are asked without."""

NOT_KNOWN = "not known"
"""What is shown of a setting whose value a run doesn't say."""


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


def shots_asked(shots: str) -> str:
    """A setting of shots without `:covered`: a run without it exists only where all questions are covered, and so asks
    the same."""
    return shots.removesuffix(f":{COVERED}")


def _as_asked(name: str, value: Any) -> Any:
    return shots_asked(value) if name == "shots" and isinstance(value, str) else value


class Strategy(Noun, frozen=True, kw_only=True):
    """How questions are asked, by their labels: of the rules that set something, the last that matches counts."""

    name: str
    rules: tuple[Rule, ...]
    description: str = ""

    @property
    def hash(self) -> str:
        """SHA-256 of what it sets for which questions, wherever that stands in a file, and with shots as
        `shots_asked` has them."""
        rules = [
            [rule.match, {name: _as_asked(name, value) for name, value in rule.settings.items()}] for rule in self.rules
        ]
        content = msgspec.json.encode(rules, order="deterministic")
        return hashlib.sha256(content).hexdigest()

    def __str__(self) -> str:
        return f"{self.name} ({self.hash[:12]})"


class Way(Noun, frozen=True, kw_only=True):
    """How some questions of a run are asked: every setting as it holds for them."""

    prompt: PromptSettings = PromptSettings()
    style_hash: str = ""
    """Hash of the template, in a file or in a strategy; empty for a named style."""
    generation: GenerationSettings = GenerationSettings()
    method: str = "once"
    shots: str = ""
    model: str = ""
    """Spec of the model that a strategy names; empty: the run's."""

    def values(self) -> dict[str, Any]:
        """Every setting by the name of its field."""
        owners = (self.prompt, self, self.generation)
        flat = {field: getattr(owner, field) for owner in owners for field in owner.__struct_fields__}
        return {field: value for field, value in flat.items() if field not in ("prompt", "generation")}


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
    """Examples before each question: `N[:feedback|:text][:covered]`."""
    strategy: Strategy | None = None
    """What is set otherwise for some questions."""
    ways: tuple[Way, ...] = ()
    """With a strategy, the ways in which the questions are asked by it; of a shard those of the whole run. Early runs
    by a strategy don't say."""
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

    def asked(self) -> tuple[Way, ...]:
        """Every way in which the questions are asked, by a strategy or by these settings alone."""
        alone = Way(
            prompt=self.prompt,
            style_hash=self.style_hash,
            generation=self.generation,
            method=self.method,
            shots=self.shots,
        )
        return self.ways or (alone,)

    def values(self) -> dict[str, tuple[Any, ...]]:
        """By field of a `Way`, the values that it has for the questions, each once; none where a rule sets it and the
        run doesn't say for which of them."""
        found, unknown = [way.values() for way in self.asked()], self._unknown()
        return {
            name: () if name in unknown else tuple(dict.fromkeys(values[name] for values in found)) for name in found[0]
        }

    def _unknown(self) -> frozenset[str]:
        """Fields of a `Way` that rules set in a run without `ways`."""
        if self.strategy is None or self.ways:
            return frozenset()
        fields = {
            known.name: known.field for part in (PromptSettings, GenerationSettings) for known in options_of(part)
        }
        named = {name for rule in self.strategy.rules for name in rule.settings} - {*self.given}
        template = {"style", "style_hash"} if named & {"style", "text"} else set()
        return frozenset({fields.get(name, name) for name in named - {"text"}} | template)
