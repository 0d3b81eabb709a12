"""The nouns that the parts hand to each other, frozen and typed, and the version of the files made of them.

The flow is Task -> Question -> Ask -> Request -> [ModelAdapter] -> Response -> Answer -> Decision -> Grade, all of a
question kept in one Sample; then Results and Row. Nothing in this package reads a file or imports an engine. Files
written from these types carry `SCHEMA_VERSION`.
"""

from egocross_eval.schema.answer import FILTERED, Answer, Failure, Reading, Response, Sent, SentFrame
from egocross_eval.schema.ask import Ask, Turn
from egocross_eval.schema.benchmark import BenchmarkRecord, Grouping
from egocross_eval.schema.noun import SCHEMA_VERSION
from egocross_eval.schema.prompt import ImagePart, Message, Part, Prompt, Request, TextPart, VideoPart
from egocross_eval.schema.question import Frame, Question, asked_hash
from egocross_eval.schema.record import (
    Combined,
    CombinedPart,
    Imported,
    ModelRecord,
    RunRecord,
    ShardRecord,
)
from egocross_eval.schema.results import CorrectedFigures, Efficiency, Figure, JudgeFigures, Results
from egocross_eval.schema.row import Row
from egocross_eval.schema.run_settings import NOT_KNOWN, Rule, RunSettings, Strategy, Way
from egocross_eval.schema.sample import Cost, Decision, Grade, Outcome, Sample

__all__ = [
    "FILTERED",
    "NOT_KNOWN",
    "SCHEMA_VERSION",
    "Answer",
    "Ask",
    "BenchmarkRecord",
    "Combined",
    "CombinedPart",
    "CorrectedFigures",
    "Cost",
    "Decision",
    "Efficiency",
    "Failure",
    "Figure",
    "Frame",
    "Grade",
    "Grouping",
    "ImagePart",
    "Imported",
    "JudgeFigures",
    "Message",
    "ModelRecord",
    "Outcome",
    "Part",
    "Prompt",
    "Question",
    "Reading",
    "Request",
    "Response",
    "Results",
    "Row",
    "Rule",
    "RunRecord",
    "RunSettings",
    "Sample",
    "Sent",
    "SentFrame",
    "ShardRecord",
    "Strategy",
    "TextPart",
    "Turn",
    "VideoPart",
    "Way",
    "asked_hash",
]
