"""The nouns that the parts hand to each other, frozen and typed, and the version of the files made of them.

The flow is Task -> Question -> Ask -> Request -> [ModelAdapter] -> Response -> Answer -> Decision -> Grade, all of a
question kept in one Sample; then Results and Row. Nothing in this module reads a file or imports an engine. Files
written from these types carry `SCHEMA_VERSION`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from egocross_eval.settings import AnswerMode, GenerationSettings, JudgeSettings, PromptSettings

SCHEMA_VERSION = 2
"""Version of `run.json`, `samples.jsonl`, `results.json` and exported rows. A reader refuses a newer one; files of
version 1 are read by `runs/version1.py`."""

Outcome = Literal["right", "wrong", "not_parsed", "filtered", "errored", "unscored"]
"""What became of a question. `filtered`: a content filter withheld the answer, which is final and counts as wrong.
`unscored`: answered, but the right answer isn't known here."""

FILTERED = "filtered"
"""Kind of the failure that a content filter is."""


class _Noun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all nouns: immutable, keyword-only, strict when read back."""


class Frame(_Noun, frozen=True, kw_only=True, gc=False):
    """One picture of a clip."""

    name: str
    """Path as written in the data file, without a leading slash, relative to the data root, POSIX separators."""
    time: float | None = None
    """Seconds from the start of the clip by the rule of its dataset; None where no rule is known."""


class Question(_Noun, frozen=True, kw_only=True):
    """One item of a benchmark."""

    id: int
    """Number within its split, which lists are ordered by."""
    key: str
    """Name of the question that files are joined on, unique within its split."""
    text: str
    frames: tuple[Frame, ...] = ()
    """All frames of the clip in time order."""
    options: dict[str, str] = {}
    """Option text by label, in the order shown; the label style of the source is removed. Empty: answered freely."""
    target: str | None = None
    """The right answer, the label of an option or a text; None where it isn't known. Never reaches a model adapter."""
    references: dict[str, str] = {}
    """Other wordings of the right answer by name, e.g. `answer_text`. Never reach a model adapter."""
    hidden_options: dict[str, str] = {}
    """Options of the closed form of a question that is answered freely, by label: what graders know of it, and what
    `show_options` shows."""
    needs_options: bool = False
    """It can't be answered without its `hidden_options`: `show_options` shows them."""
    cluster: str = ""
    """What the question shares with others, e.g. its source video; empty: it stands alone."""
    labels: dict[str, str] = {}
    """What groups are made of, e.g. `domain`, `question_type`; empty where the source doesn't say."""

    def label(self, name: str) -> str:
        """The label of that name; empty where the question has none."""
        return self.labels.get(name, "")

    def accepted(self) -> frozenset[str]:
        """Labels of options that count as right: the target and every option with the very same text."""
        if self.target is None or self.target not in self.options:
            return frozenset()
        right = self.options[self.target]
        return frozenset(label for label, text in self.options.items() if text == right)

    def without_target(self) -> Question:
        """The question as it may be asked: without what is known of its answer."""
        return msgspec.structs.replace(self, target=None, references={})


class TextPart(_Noun, frozen=True, kw_only=True, tag="text"):
    """A piece of text within a message."""

    text: str


class ImagePart(_Noun, frozen=True, kw_only=True, tag="image"):
    """One frame within a message."""

    frame: Frame
    path: str
    """Absolute path of the file, already confined to the data root."""


class VideoPart(_Noun, frozen=True, kw_only=True, tag="video"):
    """A clip within a message, as frames with true times."""

    frames: tuple[Frame, ...]
    paths: tuple[str, ...]
    fps: float
    """Rate that `indices` count in: frame k is at `indices[k] / fps` seconds."""
    indices: tuple[int, ...]


Part = TextPart | ImagePart | VideoPart


class Message(_Noun, frozen=True, kw_only=True):
    """One turn of the conversation that a prompt is."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]


class Prompt(_Noun, frozen=True, kw_only=True):
    """What a model is shown for one question; the same renderer makes prompts for evaluation, support examples and
    training."""

    messages: tuple[Message, ...]
    style: str
    """Name of the prompt style that rendered it."""
    max_pixels: int | None = None
    """Pixel budget of each frame (width x height); larger frames are scaled down by the adapter. None: no budget."""

    def images(self) -> list[ImagePart]:
        """The image parts of all messages, in order."""
        return [part for message in self.messages for part in message.parts if isinstance(part, ImagePart)]

    def frame_paths(self) -> list[str]:
        """Absolute paths of every frame shown, images and videos alike, in order."""
        paths: list[str] = []
        for message in self.messages:
            for part in message.parts:
                if isinstance(part, ImagePart):
                    paths.append(part.path)
                elif isinstance(part, VideoPart):
                    paths.extend(part.paths)
        return paths

    def frames(self) -> list[Frame]:
        """Every frame shown, in the order of `frame_paths`."""
        frames: list[Frame] = []
        for message in self.messages:
            for part in message.parts:
                if isinstance(part, ImagePart):
                    frames.append(part.frame)
                elif isinstance(part, VideoPart):
                    frames.extend(part.frames)
        return frames


class Request(_Noun, frozen=True, kw_only=True):
    """What an adapter answers and what the response cache is keyed by."""

    key: str
    """Unique within a run; the response carries it back."""
    prompt: Prompt
    settings: GenerationSettings
    options: dict[str, str] = {}
    """Option text by label as shown; may be empty."""
    choices: tuple[str, ...] = ()
    """Labels that are compared in choose mode and that decoding is held to in constrained mode."""
    labels: dict[str, str] = {}
    """The question's labels, its `cluster` and the `split`: for routing and ordering. Never the answer."""
    data_root: str = ""
    """Absolute path of the folder that the frames lie in; empty where there are none."""
    frame_hashes: tuple[str, ...] = ()
    """Content hash of each frame in the order of `prompt.frame_paths()`; equal hashes are equal bytes."""
    content_hash: str = ""
    """Hash of everything that determines the response besides the model: messages, frame contents, settings,
    choices."""


class Failure(_Noun, frozen=True, kw_only=True):
    """Why a request has no answer. Never written into an answer field."""

    kind: str
    """Short word: `http_429`, `timeout`, `connection`, `bad_response`, `context_length`, `frame`, `out_of_memory`,
    `filtered`, ..."""
    message: str
    retryable: bool = False
    """True where asking again later may succeed."""


class Response(_Noun, frozen=True, kw_only=True):
    """What an adapter yields for a request: text, or log-probabilities of the letters, or a failure."""

    key: str
    text: str | None = None
    """Raw output, exactly as the model gave it, thinking included where the engine returns it in the text."""
    reasoning: str | None = None
    """Thinking that the engine returned apart from the text."""
    scores: dict[str, float] | None = None
    """Log-probability by label (choose mode)."""
    failure: Failure | None = None
    finish_reason: str | None = None
    """`stop`, `length`, ... as the engine said."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    reused_tokens: int | None = None
    """Of the input tokens, those that the engine had computed for another prompt; None where it doesn't say. Of a
    batch whose sum alone is known, an equal share."""
    seconds: float | None = None
    """Wall time from sending to the complete answer."""
    first_token_seconds: float | None = None
    """Time to the first token of the answer, as the engine says."""
    token_seconds: float | None = None
    """Time for each further token, as the engine says."""
    attempts: int = 1
    """How often the request was sent."""
    cached: bool = False
    """True if it came from the response cache."""
    replica: str = ""
    """Which of several replicas of the model answered, as node and number."""

    @property
    def filtered(self) -> bool:
        """A content filter withheld the answer: asking again gives no other."""
        return self.failure is not None and self.failure.kind == FILTERED

    @property
    def failed(self) -> bool:
        """There is no answer, and no content filter is why."""
        return self.failure is not None and not self.filtered


class Turn(_Noun, frozen=True, kw_only=True):
    """An earlier turn of the conversation that a method puts before a question."""

    role: Literal["user", "assistant"]
    text: str | None = None
    """None: the question as the run's style words it, with its frames."""
    frames: tuple[Frame, ...] = ()
    """Frames before the text, of which the run's settings select those that are shown."""


class Ask(_Noun, frozen=True, kw_only=True):
    """What a method wants to know: the content of one request, in terms of the question."""

    name: str = ""
    """Unique within the question; a part of the request's key, so without `#`."""
    options: dict[str, str] | None = None
    """Option text by label as shown; None: as the question has them."""
    text: str | None = None
    """The question's text as asked; None: its own."""
    after: str | None = None
    """All words behind the frames, in place of the prompt style's."""
    turns: tuple[Turn, ...] = ()
    """Earlier turns, before the question's."""
    frames: tuple[int, ...] | None = None
    """Places of the frames shown, among those that the settings select; None: all of them."""
    numbered: bool = False
    """Each frame's number, from 1, stands beside it; with images only."""
    choices: tuple[str, ...] | None = None
    """Labels to choose among; None: those of the options."""
    answer_mode: AnswerMode | None = None
    """None: as the run's settings say; so for the others."""
    max_new_tokens: int | None = None
    temperature: float | None = None
    seed: int = 0
    """Added to the run's seed."""


class Reading(_Noun, frozen=True, kw_only=True):
    """The label read from a response, or an abstention."""

    label: str | None = None
    """In terms of the ask: the label as shown."""
    rule: str | None = None
    """Name of the extraction rule, or `scores` in choose mode."""
    span: tuple[int, int] | None = None
    """Character offsets of the evidence within the raw output."""
    reason: str | None = None
    """Why no label was read, when `label` is None."""


class SentFrame(_Noun, frozen=True, kw_only=True, gc=False):
    """A frame as it was sent."""

    name: str
    time: float | None = None
    hash: str = ""


class Sent(_Noun, frozen=True, kw_only=True):
    """What was asked: the text of the prompt with `<image>` or `<video>` where media stood, and the frames."""

    messages: tuple[tuple[str, str], ...] = ()
    """(role, text) pairs."""
    frames: tuple[SentFrame, ...] = ()
    content_hash: str = ""


class Answer(_Noun, frozen=True, kw_only=True):
    """A response, what it was asked and what was read from it."""

    ask: Ask
    sent: Sent
    response: Response
    reading: Reading = Reading()
    theirs: Reading | None = None
    """What another tool read from the response, in runs that were imported from its logs; the rule is its name."""


class Decision(_Noun, frozen=True, kw_only=True):
    """What a method makes of its answers, in terms of the question."""

    label: str | None = None
    """Label of the chosen option."""
    text: str | None = None
    """The answer in words, for a question without options."""
    scores: dict[str, float] = {}
    """Evidence for each option by its label, larger is better, where the method weighs them."""
    rule: str | None = None
    """How it came about: an extraction rule, `scores`, `votes`, ..."""
    reason: str | None = None
    """Why there is neither a label nor a text."""


class Grade(_Noun, frozen=True, kw_only=True):
    """What a decision is worth."""

    outcome: Outcome
    credit: float = 0.0
    """Share of the full mark, in [0, 1]: what accuracies are the means of. Right has 1."""
    prediction: str | None = None
    """What was graded, as tables and prediction files show it: a label, a number, a text."""
    mark: float | None = None
    """A judge's mark, from 0 to 5."""
    reason: str | None = None
    """Why it got that grade, where that isn't plain."""


class Cost(_Noun, frozen=True, kw_only=True):
    """What all answers to a question took; None where no response says."""

    requests: int
    input_tokens: int | None
    output_tokens: int | None
    seconds: float | None
    attempts: int
    cached: int
    """Answers that came from the response cache."""


_Number = TypeVar("_Number", int, float)


def _total(values: Iterable[_Number | None]) -> _Number | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


class Sample(_Noun, frozen=True, kw_only=True):
    """One line of `samples.jsonl`: a question, its answers, and what they count for."""

    key: str
    question: Question
    answers: tuple[Answer, ...]
    """In the order asked: at least one of the model's, and of a judge's none where none was needed."""
    decision: Decision
    grade: Grade
    finished_at: str
    """UTC, ISO 8601."""

    @property
    def outcome(self) -> Outcome:
        """What became of the question."""
        return self.grade.outcome

    @property
    def failure(self) -> Failure | None:
        """Why the question has no answer, or a content filter's refusal; None where it was answered."""
        responses = [answer.response for answer in self.answers if answer.response.failure is not None]
        if self.outcome == "errored":
            responses = [response for response in responses if response.failed]
        elif self.outcome != "filtered":
            return None
        return responses[0].failure if responses else None

    @property
    def cost(self) -> Cost:
        """Sums over all answers."""
        responses = [answer.response for answer in self.answers]
        return Cost(
            requests=len(responses),
            input_tokens=_total(response.input_tokens for response in responses),
            output_tokens=_total(response.output_tokens for response in responses),
            seconds=_total(response.seconds for response in responses),
            attempts=sum(response.attempts for response in responses),
            cached=sum(response.cached for response in responses),
        )


class Grouping(_Noun, frozen=True, kw_only=True):
    """A way to divide a benchmark's questions for tables."""

    name: str
    title: str
    """What tables call it, e.g. `question type`."""
    labels: tuple[str, ...]
    """Labels whose values make a group's name, joined by ` / `."""
    groups: dict[str, str] = {}
    """Titles of groups by name, in the order shown; others follow by name, under it."""

    def group(self, question: Question) -> str:
        """The group that a question belongs to; empty where it lacks one of the labels."""
        values = [question.label(label) for label in self.labels]
        return " / ".join(values) if values and all(values) else ""

    def ordered(self, groups: Iterable[str]) -> list[str]:
        """Names of groups in the order shown."""
        places = {name: place for place, name in enumerate(self.groups)}
        return sorted(groups, key=lambda name: (places.get(name, len(places)), name))


class BenchmarkRecord(_Noun, frozen=True, kw_only=True):
    """What a run keeps of its benchmark, so that its figures can be derived without the plugin."""

    name: str
    title: str
    groupings: tuple[Grouping, ...] = ()
    macro: str = ""
    """Name of the grouping whose groups' mean is the macro average; empty: there is none."""
    cluster: str = "cluster"
    """What questions with the same `cluster` share, e.g. `source video`."""
    sizes: dict[str, int] = {}
    """Number of questions by split, where it's fixed: a row over so many questions is over the whole split."""
    prediction_labels: tuple[str, ...] = ()
    """Labels that the entries of a predictions file carry beside id, question_id and answer."""

    def grouping(self, name: str) -> Grouping | None:
        """The grouping of that name."""
        return next((grouping for grouping in self.groupings if grouping.name == name), None)

    def part_titles(self, names: Iterable[str]) -> dict[str, str]:
        """Titles of groups of the macro axis by name, in the order shown."""
        grouping = self.grouping(self.macro)
        if grouping is None:
            return {}
        return {name: grouping.groups.get(name, name) for name in grouping.ordered(names)}

    def part(self, question: Question) -> str:
        """The group of the macro average that a question belongs to; empty where there is none."""
        grouping = self.grouping(self.macro)
        return grouping.group(question) if grouping is not None else ""


class ModelRecord(_Noun, frozen=True, kw_only=True):
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


class Rule(_Noun, frozen=True, kw_only=True):
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


class Strategy(_Noun, frozen=True, kw_only=True):
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


class RunSettings(_Noun, frozen=True, kw_only=True):
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


class ShardRecord(_Noun, frozen=True, kw_only=True):
    """Which part of a run a shard is: what `merge` proves completeness by."""

    number: int
    of: int
    question_count: int
    """Of the whole run."""
    questions_hash: str
    """Of the whole run, as in its `RunRecord`."""
    places: tuple[int, ...]
    """Place of each of the shard's questions in the whole run, from 0."""


class Imported(_Noun, frozen=True, kw_only=True):
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


class CombinedPart(_Noun, frozen=True, kw_only=True):
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


class Combined(_Noun, frozen=True, kw_only=True):
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


class RunRecord(_Noun, frozen=True, kw_only=True):
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


class Figure(_Noun, frozen=True, kw_only=True):
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


class CorrectedFigures(_Noun, frozen=True, kw_only=True):
    """The accuracy of free answers, corrected by the share of them that people labelled (PPI++). Shares."""

    labels: int
    micro: tuple[float, float, float]
    """Value and ends of the 95 % interval."""
    macro: tuple[float, float, float]
    trust: float
    """How far the judge is relied on beside the labels, from 0 to 1."""


class JudgeFigures(_Noun, frozen=True, kw_only=True):
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


class Efficiency(_Noun, frozen=True, kw_only=True):
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


class Results(_Noun, frozen=True, kw_only=True):
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
    """Unweighted mean over the groups of the benchmark's macro axis. None where one of them has no scored question, or
    there is no such axis."""
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


class Row(_Noun, frozen=True, kw_only=True):
    """One line of a leaderboard, from a run or published elsewhere."""

    schema_version: int
    model: str
    source: str
    """Run folder name, or the citation of a published row."""
    published: bool
    complete: bool
    benchmark: BenchmarkRecord
    split: str
    micro: Figure | None
    macro: Figure | None
    parts: dict[str, Figure]
    """Figures along the benchmark's macro axis."""
    counts: dict[str, int]
    settings: dict[str, str]
    """Short display forms: style, frames, media, pixels, answer mode."""
    date: str
    origin_hash: str = ""
    """SHA-256 of the samples file the row was computed from; empty for published rows."""
    ranked_by: str = ""
    """For a published row: `micro` or `macro`, whichever its source reports as overall; the other is derived from
    counts."""
    published_overall: float | None = None
    """For a published row: the overall figure as its source prints it, in percent."""
    note: str = ""
    """What a reader of the row must know, e.g. that a printed figure doesn't follow from its cells."""
    link: str = ""
    """Address of the source, or path of the run folder."""
    question_count: int = 0
    """Questions asked; rows are ranked together only where split and questions are the same."""
    questions_hash: str = ""
    """As in `RunRecord`; empty for published rows, which are over the whole testbed."""
    fingerprint: str = ""
    """The model's, as in `ModelRecord`; empty for published rows."""
    decimals: int = 2
    """Decimals of the percentages that a published row's source prints."""
    answers_hash: str = ""
    """As in `Results`; empty for published rows."""
    repeats: int = 1
    """Runs joined into this row: figures are means over them and counts are sums."""
    micro_spread: float | None = None
    """Standard deviation of micro between joined runs, as a fraction."""
    macro_spread: float | None = None
    outcomes: dict[str, dict[str, str]] = {}
    """As in `Results`, means where runs were joined: what rows are compared by. Empty where it isn't known."""
    judge: str = ""
    """By whom and how free answers were judged, e.g. `gpt-4.1, mark ≥ 4`; empty where there's no judge."""
    judge_hash: str = ""
    """Hash of all that decides a verdict: rows are ranked together only where it's the same."""
    efficiency: Efficiency | None = None
    """As in `Results`, with the price where a table of prices was given."""
