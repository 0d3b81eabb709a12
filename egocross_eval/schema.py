"""The nouns that the parts hand to each other, frozen and typed, and the version of the files made of them.

The flow is Task -> Question -> Prompt -> Request -> [ModelAdapter] -> Response -> Prediction -> Sample -> Results.
Nothing in
this module reads a file or imports an engine. Files written from these types carry `SCHEMA_VERSION`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

SCHEMA_VERSION = 1
"""Version of `run.json`, `samples.jsonl`, `results.json` and exported rows. A reader refuses a newer one."""

Outcome = Literal["right", "wrong", "not_parsed", "errored", "unscored"]
"""What became of a question. `unscored`: answered, but the right answer isn't known here."""

AnswerMode = Literal["generate", "choose", "constrained"]
"""How a model answers: `generate` text that is parsed, `choose` by the log-probabilities of the option letters, or
`constrained`: generate text that can be nothing but one of the letters."""

Media = Literal["images", "video"]
"""How frames are sent: as separate images, or as one video whose frames carry their true times."""


class _Noun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all nouns: immutable, keyword-only, strict when read back."""


class Frame(_Noun, frozen=True, kw_only=True):
    """One picture of a clip."""

    name: str
    """Path as written in the data file, without a leading slash, relative to the data root, POSIX separators."""
    time: float | None = None
    """Seconds from the start of the clip by the rule of its dataset; None where no rule is known."""


class Question(_Noun, frozen=True, kw_only=True):
    """One benchmark item."""

    id: int
    """Number within its split (the testbed: 1..957)."""
    question_id: str
    """Name of the question that scorers join on, unique within its split."""
    domain: str
    dataset: str
    category: str
    """Primary category, e.g. `Counting`; empty where the source doesn't say (the support set)."""
    question_type: str
    """E.g. `object counting`; empty where the source doesn't say."""
    text: str
    options: dict[str, str]
    """Option text by letter, in the order A, B, C, D; the label style of the source is removed."""
    frames: tuple[Frame, ...]
    """All frames of the clip in time order."""
    video: str
    """Source video, `dataset/video`: the cluster that this question shares with others."""
    answer: str | None = None
    """The right letter, or None where it isn't known. Never reaches a model adapter."""
    answer_text: str | None = None
    detailed_answer: str | None = None
    clip_end: float | None = None
    """End of the segment that the question's text names, in seconds, if it names one."""

    def accepted_letters(self) -> frozenset[str]:
        """Letters that count as right: the answer and every option with the very same text. Empty without an answer."""
        if self.answer is None:
            return frozenset()
        right = self.options[self.answer]
        return frozenset(letter for letter, text in self.options.items() if text == right)


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


class GenerationSettings(_Noun, frozen=True, kw_only=True):
    """How an adapter is to answer."""

    answer_mode: AnswerMode = "generate"
    max_new_tokens: int = 1024
    """Upper bound of generated tokens; generous, so that thinking isn't cut off."""
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


class Request(_Noun, frozen=True, kw_only=True):
    """What an adapter answers and what the response cache is keyed by."""

    key: str
    """Unique within a run; the response carries it back."""
    prompt: Prompt
    settings: GenerationSettings
    options: dict[str, str]
    """Option text by letter. In choose mode the letters are what is compared."""
    labels: dict[str, str] = {}
    """`split`, `domain`, `dataset`, `category`, `question_type`, `video`: for routing and ordering. Never the
    answer."""
    frame_hashes: tuple[str, ...] = ()
    """Content hash of each frame in the order of `prompt.frame_paths()`; equal hashes are equal bytes."""
    content_hash: str = ""
    """Hash of everything that determines the response besides the model: messages, frame contents, settings,
    letters."""


class Failure(_Noun, frozen=True, kw_only=True):
    """Why a request has no answer. Never written into an answer field."""

    kind: str
    """Short word: `http_429`, `timeout`, `connection`, `bad_response`, `context_length`, `frame`, `out_of_memory`,
    ..."""
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
    """Log-probability by option letter (choose mode)."""
    failure: Failure | None = None
    finish_reason: str | None = None
    """`stop`, `length`, ... as the engine said."""
    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float | None = None
    """Wall time from sending to the complete answer."""
    attempts: int = 1
    """How often the request was sent."""
    cached: bool = False
    """True if it came from the response cache."""


class Prediction(_Noun, frozen=True, kw_only=True):
    """The letter read from a response, or an abstention."""

    letter: str | None = None
    rule: str | None = None
    """Name of the extraction rule, or `scores` in choose mode."""
    span: tuple[int, int] | None = None
    """Character offsets of the evidence within the raw output."""
    reason: str | None = None
    """Why no letter was read, when `letter` is None."""


class Vote(_Noun, frozen=True, kw_only=True):
    """One of several answers to the same question (`--votes`)."""

    key: str
    """Of its request."""
    rotation: int
    """By how many places the options were moved up: place i showed option i + rotation."""
    response: Response
    """Letters in it are places as shown."""
    shown: str | None = None
    """Letter of the place that was answered, or None for an abstention."""
    letter: str | None = None
    """The option that stood there, by its letter in the question."""


class SentFrame(_Noun, frozen=True, kw_only=True):
    """A frame as it was sent."""

    name: str
    time: float | None = None
    hash: str = ""


class Sent(_Noun, frozen=True, kw_only=True):
    """What was asked: the text of the prompt with `<image>` or `<video>` where media stood, and the frames."""

    messages: tuple[tuple[str, str], ...]
    """(role, text) pairs."""
    frames: tuple[SentFrame, ...]
    content_hash: str


class Sample(_Noun, frozen=True, kw_only=True):
    """One line of `samples.jsonl`: a question, what was sent, what came back and what it counts for."""

    key: str
    question: Question
    sent: Sent
    response: Response
    prediction: Prediction
    outcome: Outcome
    finished_at: str
    """UTC, ISO 8601."""
    votes: tuple[Vote, ...] = ()
    """All answers to the question, when it was asked more than once; `response` then sums their cost."""


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


class RunSettings(_Noun, frozen=True, kw_only=True):
    """Everything that decides which questions are asked and how; two runs with equal settings and model ask the
    same."""

    tasks: tuple[str, ...]
    split: str
    style: str
    style_hash: str = ""
    """Hash of the user's template file; empty for a named style."""
    frames: str = "all"
    """`all`, `uniform:N`, `tail:N` or `none`."""
    shuffled: bool = False
    """Frames in an order drawn by the seed instead of time order: for audits."""
    media: Media = "images"
    timestamps: bool = False
    max_pixels: int | None = None
    generation: GenerationSettings = GenerationSettings()
    limit: int | None = None
    seed: int = 0
    votes: str = ""
    """Empty, `rotate` (all cyclic rotations of the options) or `sample:N`."""


class RunRecord(_Noun, frozen=True, kw_only=True):
    """`run.json`: what is needed to repeat a run."""

    schema_version: int
    model: ModelRecord
    settings: RunSettings
    data_root: str
    data_hashes: dict[str, str]
    """SHA-256 by file name of each question and answer file read."""
    question_count: int
    questions_hash: str
    """Hash of the asked questions without their answers: runs are comparable where it is equal."""
    created_at: str
    versions: dict[str, str]
    plugins: dict[str, str]
    """Version by distribution of every plugin that was loaded."""


class Figure(_Noun, frozen=True, kw_only=True):
    """An accuracy with its n and interval. Shares are fractions in [0, 1]."""

    right: int
    n: int
    """All questions of the group, whatever their outcome: right + wrong + not_parsed + errored + unscored + missing."""
    accuracy: float
    """Right over n (macro: mean of the domains'). A lower bound where `open` isn't 0."""
    low: float
    high: float
    """Ends of the 95 % interval. Where `open` isn't 0, it covers whatever those questions turn out to be."""
    wrong: int = 0
    not_parsed: int = 0
    errored: int = 0
    unscored: int = 0
    missing: int = 0
    """Questions that a predictions file has no entry for."""
    chance: float | None = None
    """Expected accuracy of a uniform guess over the letters (identical options counted)."""
    interval: str = "wilson"
    """How `low` and `high` were found, a name of `scoring.intervals.METHODS`."""

    @property
    def open(self) -> int:
        """Questions that count neither right nor wrong: errored, unscored or missing."""
        return self.errored + self.unscored + self.missing


class Results(_Noun, frozen=True, kw_only=True):
    """`results.json`: what `score` derives from a run folder; it can always be rebuilt."""

    schema_version: int
    complete: bool
    """No question errored or missing, and every question scored."""
    counts: dict[str, int]
    """Number of questions by outcome, plus `total` and `missing`."""
    micro: Figure | None
    """Right over all questions: the challenge's "Overall". None without answers."""
    macro: Figure | None
    """Unweighted mean of the domains' accuracies: the paper's "Overall". None without answers."""
    groups: dict[str, dict[str, Figure]]
    """Figures by grouping (`domain`, `category`, `question_type`, `dataset`, `cell`), then by name."""
    tokens: dict[str, int]
    seconds: float
    """Sum of the responses' wall times."""
    samples_hash: str = ""
    """SHA-256 of the `samples.jsonl` that the results were computed from."""
    answers_hash: str = ""
    """SHA-256 of the right answers it was scored against: figures are comparable where it is equal."""
    rotations: dict[str, int] = {}
    """With `--votes rotate`, numbers of questions: `asked` (all rotations answered), `position` (the same place every
    time, whatever stood there), `content` (the same option every time)."""


class Row(_Noun, frozen=True, kw_only=True):
    """One line of a leaderboard, from a run or published elsewhere."""

    schema_version: int
    model: str
    source: str
    """Run folder name, or the citation of a published row."""
    published: bool
    complete: bool
    split: str
    micro: Figure | None
    macro: Figure | None
    domains: dict[str, Figure]
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
