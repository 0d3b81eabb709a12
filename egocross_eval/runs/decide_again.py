"""Decides again from the answers that a run kept, in the way in which it asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from egocross_eval.contracts.method import Method
from egocross_eval.contracts.registry import Registry
from egocross_eval.errors import UsageError
from egocross_eval.methods.select import build_method, method_name
from egocross_eval.prompts.renderer import as_shown
from egocross_eval.runs.decide import decide
from egocross_eval.runs.options import RunOptions
from egocross_eval.runs.strategy import treatment
from egocross_eval.schema import Answer, Ask, Decision, Question, RunRecord, RunSettings


def asked_by(settings: RunSettings, question: Question) -> RunOptions:
    """How a question of a run was asked: by its settings, and by its strategy where that says otherwise."""
    base = RunOptions(
        prompt=settings.prompt, generation=settings.generation, method=settings.method, shots=settings.shots
    )
    return treatment(base, settings.strategy, question.labels, frozenset(settings.given)).options


def refuse_missing(record: RunRecord, path: Path, registry: Registry) -> None:
    """Raises `UsageError` where nothing installed here has the methods or the grader of the run at `path`, naming the
    plugins that it was made with."""
    # What was made of other runs has no method of its own: its decisions stay.
    methods = [] if record.combined is not None else record.settings.values()["method"]
    missing = [f"method {name!r}" for name in dict.fromkeys(map(method_name, methods)) if name not in registry.methods]
    if record.settings.grader not in registry.graders:
        missing.append(f"grader {record.settings.grader!r}")
    if missing:
        here = {plugin.distribution for plugin in registry.plugins if plugin.error is None}
        made = ", ".join(f"{name} {version}" for name, version in record.plugins.items() if name not in here)
        raise UsageError(
            f"{path} needs the {' and the '.join(missing)}, which nothing installed here has; the run was made with "
            f"{made or 'the same plugins in another version'}"
        )


class Decider:
    """Calls the method that each question was asked by."""

    def __init__(self, settings: RunSettings, registry: Registry) -> None:
        self._settings = settings
        self._registry = registry
        self._methods: dict[str, Method] = {}

    def decide(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        """What the method makes of the answers now. Raises `RunError` where it breaks."""
        options = asked_by(self._settings, question)
        if options.method not in self._methods:
            self._methods[options.method] = build_method(options.method, self._registry)
        shown = as_shown(question, options.prompt, options.generation.seed)
        return decide(self._methods[options.method], options.method, shown, answers)
