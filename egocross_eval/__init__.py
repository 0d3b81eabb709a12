"""egocross-eval: measure a model on EgoCross.

`evaluate` runs a model over tasks and returns the run; `load_run` reads one from its folder. What a plugin needs is
here too, and nowhere else: modules below this one are not part of the interface.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from egocross_eval.version import __version__

if TYPE_CHECKING:
    from egocross_eval.api import JudgeKeywords, Run, RunKeywords, evaluate, export_run, judge, load_run, run
    from egocross_eval.command_options import options_of_settings
    from egocross_eval.contracts.command import CommandType
    from egocross_eval.contracts.event import Answered, Ended, Event, Started, Stopped, Warned
    from egocross_eval.contracts.exporter import ExportedRun, Exporter
    from egocross_eval.contracts.grader import Grader
    from egocross_eval.contracts.hooks import hookimpl
    from egocross_eval.contracts.importer import ForeignAnswer, ForeignRun, Importer
    from egocross_eval.contracts.method import Method, MethodType
    from egocross_eval.contracts.model import NEUTRAL, PASSED_ON, TYPED, AdapterType, Capabilities, ModelAdapter
    from egocross_eval.contracts.style import PromptStyle, StyledText
    from egocross_eval.contracts.task import Benchmark, DataOptions, DataSource, Questions, Target, Task, TrainingSplits
    from egocross_eval.contracts.tracker import TrackerType
    from egocross_eval.errors import DataError, EgoCrossError, MissingExtraError, RunError, UsageError
    from egocross_eval.grading.letter import LetterGrader
    from egocross_eval.methods.evidence import decide
    from egocross_eval.methods.once import Once, plain_decision
    from egocross_eval.reading import extract
    from egocross_eval.replies import Reply, replying
    from egocross_eval.runs.options import RunOptions
    from egocross_eval.schema import (
        Answer,
        Ask,
        Decision,
        Failure,
        Figure,
        Frame,
        Grade,
        Grouping,
        ImagePart,
        Imported,
        JudgeFigures,
        Message,
        Prompt,
        Question,
        Reading,
        Request,
        Response,
        Results,
        Row,
        RunRecord,
        RunSettings,
        Sample,
        Sent,
        TextPart,
        Turn,
        VideoPart,
    )
    from egocross_eval.settings import GenerationSettings, JudgeSettings, PromptSettings, option
    from egocross_eval.tasks.egocross.openqa import EGOCROSS_OPEN
    from egocross_eval.tasks.egocross.tasks import EGOCROSS, read_egocross

_HOMES = {
    "api": ("JudgeKeywords", "Run", "RunKeywords", "evaluate", "export_run", "judge", "load_run", "run"),
    "contracts.command": ("CommandType",),
    "contracts.event": ("Answered", "Ended", "Event", "Started", "Stopped", "Warned"),
    "contracts.exporter": ("ExportedRun", "Exporter"),
    "contracts.grader": ("Grader",),
    "contracts.hooks": ("hookimpl",),
    "contracts.importer": ("ForeignAnswer", "ForeignRun", "Importer"),
    "contracts.method": ("Method", "MethodType"),
    "contracts.model": ("NEUTRAL", "PASSED_ON", "TYPED", "AdapterType", "Capabilities", "ModelAdapter"),
    "contracts.style": ("PromptStyle", "StyledText"),
    "contracts.task": ("Benchmark", "DataOptions", "DataSource", "Questions", "Target", "Task", "TrainingSplits"),
    "contracts.tracker": ("TrackerType",),
    "command_options": ("options_of_settings",),
    "errors": ("DataError", "EgoCrossError", "MissingExtraError", "RunError", "UsageError"),
    "grading.letter": ("LetterGrader",),
    "methods.evidence": ("decide",),
    "methods.once": ("Once", "plain_decision"),
    "reading": ("extract",),
    "replies": ("Reply", "replying"),
    "runs.options": ("RunOptions",),
    "schema": (
        *("Answer", "Ask", "Decision", "Failure", "Figure", "Frame", "Grade", "Grouping", "ImagePart", "Imported"),
        *("JudgeFigures", "Message"),
        *("Prompt", "Question", "Reading", "Request", "Response", "Results", "Row", "RunRecord", "RunSettings"),
        *("Sample", "Sent", "TextPart", "Turn", "VideoPart"),
    ),
    "tasks.egocross.openqa": ("EGOCROSS_OPEN",),
    "tasks.egocross.tasks": ("EGOCROSS", "read_egocross"),
    "settings": ("GenerationSettings", "JudgeSettings", "PromptSettings", "option"),
}
"""The public names by the module that they live in."""

_MODULES = {name: f"{__name__}.{module}" for module, names in _HOMES.items() for name in names}

__all__ = [
    "EGOCROSS",
    "EGOCROSS_OPEN",
    "NEUTRAL",
    "PASSED_ON",
    "TYPED",
    "AdapterType",
    "Answer",
    "Answered",
    "Ask",
    "Benchmark",
    "Capabilities",
    "CommandType",
    "DataError",
    "DataOptions",
    "DataSource",
    "Decision",
    "EgoCrossError",
    "Ended",
    "Event",
    "ExportedRun",
    "Exporter",
    "Failure",
    "Figure",
    "ForeignAnswer",
    "ForeignRun",
    "Frame",
    "GenerationSettings",
    "Grade",
    "Grader",
    "Grouping",
    "ImagePart",
    "Imported",
    "Importer",
    "JudgeFigures",
    "JudgeKeywords",
    "JudgeSettings",
    "LetterGrader",
    "Message",
    "Method",
    "MethodType",
    "MissingExtraError",
    "ModelAdapter",
    "Once",
    "Prompt",
    "PromptSettings",
    "PromptStyle",
    "Question",
    "Questions",
    "Reading",
    "Reply",
    "Request",
    "Response",
    "Results",
    "Row",
    "Run",
    "RunError",
    "RunKeywords",
    "RunOptions",
    "RunRecord",
    "RunSettings",
    "Sample",
    "Sent",
    "Started",
    "Stopped",
    "StyledText",
    "Target",
    "Task",
    "TextPart",
    "TrackerType",
    "TrainingSplits",
    "Turn",
    "UsageError",
    "VideoPart",
    "Warned",
    "__version__",
    "decide",
    "evaluate",
    "export_run",
    "extract",
    "hookimpl",
    "judge",
    "load_run",
    "option",
    "options_of_settings",
    "plain_decision",
    "read_egocross",
    "replying",
    "run",
]


if not TYPE_CHECKING:  # a type checker that saw it would take any name for a public one

    def __getattr__(name: str) -> Any:
        # Lazy, so that `import egocross_eval` costs nothing.
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
