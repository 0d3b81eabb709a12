"""The contract of a task, a named set of questions, and of the benchmark that it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from egocross_eval.schema import BenchmarkRecord, Grouping, Question, Row
from egocross_eval.settings import Checked, option


class DataSource(msgspec.Struct, frozen=True, kw_only=True):
    """What a user says of where the data lie. A task whose data come with its package needs none of it."""

    root: Path | None = None
    """The data root: frames are resolved below it and never outside. Several are joined by `os.pathsep`, as in PATH,
    for tasks that look for their parts in all of them."""
    split: str = ""
    """One of the benchmark's splits; empty: its first."""
    questions_file: Path | None = None
    answers_file: Path | None = None


class DataOptions(Checked, frozen=True, kw_only=True):
    """Where the data lie."""

    data: Annotated[
        Path | None,
        option(
            "Data root, for benchmarks that need one; repeatable, where the parts lie apart. EgoCross: default "
            "$EGOCROSS_DATA.",
            metavar="ROOT",
            joined=True,
        ),
    ] = None
    split: Annotated[
        str, option("Split of the benchmark; default: its first. demo needs no data: a small benchmark is generated.")
    ] = ""
    questions_file: Annotated[
        Path | None, option("Questions file, in place of the one below the data root.", name="questions")
    ] = None
    answers_file: Annotated[
        Path | None, option("File of right answers, in place of the one below the data root.", name="answers")
    ] = None

    def source(self) -> DataSource:
        """As tasks take it."""
        return DataSource(
            root=self.data, split=self.split, questions_file=self.questions_file, answers_file=self.answers_file
        )


class Questions(msgspec.Struct, frozen=True, kw_only=True):
    """What a task loads."""

    questions: tuple[Question, ...]
    root: Path | None = None
    """Data root that the frame names are relative to; None where there are no frames."""
    data: Path | None = None
    """Where the other splits are looked for, as `DataSource.root` has it; None: in `root`."""
    files: tuple[Path, ...] = ()
    """The files that were read: their hashes go into `run.json`."""
    warnings: tuple[str, ...] = ()
    faulty: dict[str, str] = {}
    """Questions that better aren't trained on, by key, and what is wrong with each."""
    no_frames: str = ""
    """Set where the task finds none of the frames: what is missing and what to do. Runs that show some are refused."""


class TrainingSplits(msgspec.Struct, frozen=True, kw_only=True):
    """What of a benchmark models may be trained on, and what never."""

    examples: str
    """Split of the examples."""
    tested: str
    """Split that models are measured on: no question, cluster or frame of it is trained on."""
    alike: tuple[str, ...] = ()
    """Labels that an example shown before a question shares with it (`--shots`)."""
    tested_folder: str = ""
    """Folder below the data root that the tested split's frames lie in, if it has one of its own."""
    tested_clusters: Callable[[], frozenset[str]] | None = None
    """The tested split's clusters, where they are known without its data."""
    by_default: bool = True
    """Trained on where no task is named; False where another benchmark has the same examples."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a question's right answer."""

    target: str
    """As `Question.target`."""
    references: dict[str, str] = {}


class Benchmark(msgspec.Struct, frozen=True, kw_only=True):
    """What tasks of one benchmark have in common."""

    name: str
    """Short, for files, e.g. `egocross`."""
    title: str
    """As people write it, e.g. `EgoCross`."""
    splits: tuple[str, ...] = ("test",)
    """Names of the splits; the first is asked where none is named."""
    groupings: tuple[Grouping, ...] = ()
    """Ways to divide the questions for tables, in the order shown."""
    macro: str = ""
    """Name of the grouping whose groups' mean is the macro average; empty: there is no such average."""
    cluster: str = "cluster"
    """What questions with the same `cluster` share, in words, e.g. `source video`."""
    grader: str = "letter"
    """Name of the grader of its questions."""
    method: str = "once"
    """How its questions are asked where nothing else is said."""
    style: str = ""
    """Prompt style where no other than the general default is said; empty: that one."""
    sizes: dict[str, int] = {}
    """Number of questions by split, where it's fixed: a row over so many questions is over the whole split."""
    prediction_labels: tuple[str, ...] = ()
    """Labels that the entries of a predictions file carry beside id, question_id and answer."""
    published: Callable[[], Sequence[Row]] | None = None
    """Results that others published, as leaderboard rows."""
    read_targets: Callable[[Path], Mapping[str, Target]] | None = None
    """Reads a file of right answers, by the question's key. None: targets come with the questions alone."""
    known_questions: Callable[[str], Mapping[str, str]] | None = None
    """Digests (`Question.digest`) of a split's questions by key, where they are the same for everybody: what runs of
    others say of their questions is held against them. Empty for a split whose aren't known."""
    training: TrainingSplits | None = None
    """None: there is nothing to train on."""
    strategies: Path | None = None
    """Folder of the strategy files that come with it (`--strategy NAME` is its file NAME.yaml)."""
    hub_dataset: str = ""
    """Its dataset on the Hugging Face Hub, `owner/name`; empty: it has none."""
    hub_task: str = ""
    """What its results are called there; empty: its name."""
    prior_model: str = ""
    """Spec of a baseline that guesses by what examples say of the right answers' places; empty: there is none."""

    def groups(self) -> tuple[str, ...]:
        """The declared groups of the macro axis."""
        axis = next((grouping for grouping in self.groupings if grouping.name == self.macro), None)
        return tuple(axis.groups) if axis is not None else ()

    def record(self) -> BenchmarkRecord:
        """What a run keeps of it."""
        return BenchmarkRecord(
            name=self.name,
            title=self.title,
            groupings=self.groupings,
            macro=self.macro,
            cluster=self.cluster,
            sizes=self.sizes,
            prediction_labels=self.prediction_labels,
        )


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A registered task."""

    name: str
    benchmark: Benchmark
    description: str
    load: Callable[[DataSource], Questions]
    """Reads the questions of one split; raises `DataError` where the split or its files aren't there."""
    kind: str = "group"
    """What the name selects by, for lists: `domain`, `category`, `group`, ..."""
    counts: dict[str, int] = {}
    """Number of questions by split where it's known without reading data."""
