"""What is derived of a run: figures and `results.json`."""

from __future__ import annotations

from egocross_eval.schema.noun import Noun


class Figure(Noun, frozen=True, kw_only=True):
    """An accuracy with its n and interval. Shares are fractions in [0, 1]."""

    right: int
    n: int
    """All questions of the group: right + wrong + not_parsed + filtered + errored + unscored + missing."""
    accuracy: float
    """Mean credit, right over n where no question has a part of the mark (macro: mean of the groups'). A lower bound
    where `open` isn't 0."""
    low: float
    high: float
    """Ends of the 95 % interval. Where `open` isn't 0, it covers whatever those questions turn out to be."""
    wrong: int = 0
    not_parsed: int = 0
    filtered: int = 0
    errored: int = 0
    unscored: int = 0
    missing: int = 0
    """Questions that a predictions file has no entry for."""
    chance: float | None = None
    """Expected accuracy of a uniform guess over the options (identical ones counted); None where it isn't known."""
    interval: str = "clustered"
    """How `low` and `high` were found, a name of `scoring.accuracy.METHODS`."""
    clusters: int = 0
    """Clusters that the questions are from, e.g. source videos; 0 where it isn't known."""

    @property
    def open(self) -> int:
        """Questions that count neither right nor wrong: errored, unscored or missing."""
        return self.errored + self.unscored + self.missing


class CorrectedFigures(Noun, frozen=True, kw_only=True):
    """The accuracy of free answers, corrected by the share of them that people labelled (PPI++). Shares."""

    labels: int
    micro: tuple[float, float, float]
    """Value and ends of the 95 % interval."""
    macro: tuple[float, float, float]
    trust: float
    """How far the judge is relied on beside the labels, from 0 to 1."""


class JudgeFigures(Noun, frozen=True, kw_only=True):
    """What a judge made of the answers, beside accuracy."""

    mean_mark: float | None
    """Mean over all answers that are right or wrong; nothing said has 0. None where there is none."""
    marks: dict[str, int]
    """Number of answers by mark, rounded."""
    unasked: int = 0
    """Answers that were told right or wrong without asking the judge."""
    not_judged: int = 0
    """Answers of which the judge's replies couldn't be read, however often it was asked: they count neither right nor
    wrong."""
    corrected: CorrectedFigures | None = None
    """None where too few answers are labelled."""


class Efficiency(Noun, frozen=True, kw_only=True):
    """What the answers of a run took. Answers from the response cache count with what they took once."""

    questions: int
    """Answered."""
    requests: int
    input_tokens: int
    output_tokens: int
    right: int
    """Questions answered right."""
    reused_tokens: int | None = None
    """Input tokens that engines had computed for other prompts; None where they don't say."""
    questions_a_second: float | None = None
    """While the model answered: loading and answers from the response cache left out."""
    first_token_seconds: float | None = None
    """Median time to the first token of an answer, where engines say."""
    token_seconds: float | None = None
    """Median time for each further token, where engines say."""
    frame_pixels: int | None = None
    """Median pixels of a frame as the model saw it."""
    frame_tokens: int | None = None
    """Median tokens of a frame."""
    price: float | None = None
    """Of all requests, by a user's table of prices."""
    currency: str = ""

    @property
    def tokens_a_right_answer(self) -> float | None:
        """Tokens read and written in all, for each question answered right."""
        tokens = self.input_tokens + self.output_tokens
        return tokens / self.right if tokens and self.right else None

    @property
    def reused_share(self) -> float | None:
        """Share of the input tokens that needn't be computed."""
        known = self.reused_tokens is not None and self.input_tokens
        return (self.reused_tokens or 0) / self.input_tokens if known else None


class Results(Noun, frozen=True, kw_only=True):
    """`results.json`: what `score` derives from a run folder; it can always be rebuilt."""

    schema_version: int
    complete: bool
    """No question errored or missing, and every question scored; or, where nothing can be scored yet (no right answer
    is known, or the answers wait for a judge), every question answered. `run` and `score` end with exit code 0 just
    then."""
    counts: dict[str, int]
    """Number of questions by outcome, plus `total` and `missing`."""
    micro: Figure | None
    """Mean over all questions. None where no right answer is known."""
    macro: Figure | None
    """Unweighted mean over the groups of the benchmark's macro axis. None where one of them has no scored question,
    some questions are in none of them, or there is no such axis."""
    groups: dict[str, dict[str, Figure]]
    """Figures by name of the grouping, then by name of the group."""
    tokens: dict[str, int]
    seconds: float
    """Sum of the responses' wall times."""
    samples_hash: str = ""
    """SHA-256 of the `samples.jsonl` that the results were computed from."""
    answers_hash: str = ""
    """SHA-256 of the right answers it was scored against: figures are comparable where it is equal."""
    rotations: dict[str, int] = {}
    """With the method `rotate`, numbers of questions: `asked` (all rotations answered), `position` (the same place
    every time, whatever stood there), `content` (the same option every time)."""
    outcomes: dict[str, dict[str, str]] = {}
    """What each question is worth, by part of the macro average and cluster; see `scoring.outcomes`."""
    judge: JudgeFigures | None = None
    """Of a judging; None for a run."""
    efficiency: Efficiency | None = None
    """What the answers took; None where nothing is answered."""
    waits: bool = False
    """The answers wait for a judge: until then there is no score."""
