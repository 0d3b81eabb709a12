"""The run folder: the only source of truth about a run.

`run.json` and `questions.jsonl` are written once; `samples.jsonl` only grows, one line per finished question, and the
last line of a key counts. `answers.jsonl` holds the answers to questions that are not decided yet, where a method asks
more than once, and goes when all are. Everything else is derived and can be written again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

import msgspec

from egocross_eval.documents import decode_json, not_finite
from egocross_eval.errors import DataError, EgoCrossError, RunError, UsageError, warn_caller
from egocross_eval.files import holds_nothing, read_bytes, write_file, writing
from egocross_eval.natural_order import natural_key
from egocross_eval.runs import locks, version1
from egocross_eval.runs.line_files import append_line, append_to, opened, whole_lines
from egocross_eval.schema import SCHEMA_VERSION, Answer, Question, Results, RunRecord, Sample, asked_hash

T = TypeVar("T")

RECORD_FILE = "run.json"
QUESTIONS_FILE = "questions.jsonl"
SAMPLES_FILE = "samples.jsonl"
ANSWERS_FILE = "answers.jsonl"
RESULTS_FILE = "results.json"
PREDICTIONS_FILE = "predictions.json"
SUBMISSION_FILE = "submission.zip"
LEADERBOARD_FILE = "leaderboard.md"
ACTIVITY_FILE = "activity.json"
LOCK_FILE = ".lock"

_ANSWERED = (SAMPLES_FILE, ANSWERS_FILE)
_LISTED = 4
"""Most runs that a message names."""


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a whole file or nothing: a crash leaves the old one."""
    try:
        write_file(path, content)
    except UsageError as error:
        raise RunError(str(error)) from error


def pretty_json(value: Any) -> bytes:
    """Indented JSON of a schema object or plain data, with a final newline."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def refuse_not_finite(value: object, where: str) -> None:
    """Raises `RunError` where a number in what is to be written is infinite or none: JSON would have it as null."""
    if fault := not_finite(value):
        raise RunError(f"{where}: {fault}, which no file of a run can hold; nothing of it is written")


def questions_hash(questions: Iterable[Question]) -> str:
    """SHA-256 of the questions without what is known of their answers."""
    import hashlib

    digest = hashlib.sha256()
    encoder = msgspec.msgpack.Encoder()
    for question in questions:
        digest.update(encoder.encode(question.without_target()))
    return digest.hexdigest()


class RunFolder:
    """Reads and writes one run folder."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def exists(self) -> bool:
        """True where a run has been started in this folder."""
        return (self.path / RECORD_FILE).is_file()

    def record(self) -> RunRecord:
        """`run.json`. Raises `UsageError` where it's missing, malformed or of a newer version."""
        record: RunRecord = self._read(RECORD_FILE, RunRecord, version1.record)
        if record.schema_version < SCHEMA_VERSION:
            # The hash of version 1 was of other fields: rows of both versions are compared by the one of now.
            record = msgspec.structs.replace(
                record, schema_version=SCHEMA_VERSION, questions_hash=questions_hash(self.questions())
            )
        return record

    def results(self) -> Results:
        """`results.json`. Raises `UsageError` where it's missing, malformed or of a newer version."""
        results: Results = self._read(RESULTS_FILE, Results, version1.results)
        return results

    def has_results(self) -> bool:
        """True where `results.json` is there."""
        return (self.path / RESULTS_FILE).is_file()

    def start(self, record: RunRecord, questions: Iterable[Question]) -> None:
        """Creates the folder with the questions that the run asks, then its `run.json`: a folder without that one is no
        run yet."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"can't make the run folder {self.path}: {error.strerror or error}") from error
        with writing(self.path / QUESTIONS_FILE) as file:
            for question in questions:
                refuse_not_finite(question, f"question {question.key}")
                file.write(msgspec.json.encode(question) + b"\n")
        self.write_record(record)

    def write_record(self, record: RunRecord) -> None:
        """Replaces `run.json`."""
        write_atomically(self.path / RECORD_FILE, pretty_json(record))

    def is_unstarted(self, *, but: Iterable[str] = ()) -> bool:
        """True where the folder isn't there, is empty, or was left by a process that was killed while it made it;
        entries named in `but` may be there."""
        return holds_nothing(self.path, but=(QUESTIONS_FILE, LOCK_FILE, LOCK_FILE + locks.OWNER_SUFFIX, *but))

    def drop_answers(self) -> None:
        """Removes `answers.jsonl`, when all that's in it stands in samples."""
        path = self.path / ANSWERS_FILE
        if path.is_file():  # a folder of others may hold anything under that name
            path.unlink()

    def discard_unanswered(self) -> bool:
        """Removes the folder if nothing was answered in it and no process works on it; True where it's gone."""
        if not self.exists():
            return False
        try:
            with locks.acquire(self.path / LOCK_FILE):
                if any((self.path / name).exists() and (self.path / name).stat().st_size for name in _ANSWERED):
                    return False
                for name in (RECORD_FILE, QUESTIONS_FILE, ACTIVITY_FILE, *_ANSWERED):
                    (self.path / name).unlink(missing_ok=True)
        except (EgoCrossError, OSError):
            return False
        (self.path / LOCK_FILE).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.path.rmdir()
        return True

    def questions(self) -> list[Question]:
        """All questions that the run asks. Raises `UsageError` where the file is missing or malformed."""
        path = self.path / QUESTIONS_FILE
        read = _reader(Question, version1.question)
        lines = read_bytes(path, follow=False).splitlines()
        return [read(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]

    def asked_hash(self) -> str:
        """Of the questions; empty where their file is missing, or is not that of all questions."""
        if not (self.path / QUESTIONS_FILE).is_file():
            return ""
        digests = [question.digest() for question in self.questions_without(())]
        return asked_hash(digests) if len(digests) == self.record().question_count else ""

    def questions_without(self, keys: Container[str]) -> Iterator[Question]:
        """The questions whose key is none of `keys`, read one at a time."""
        path = self.path / QUESTIONS_FILE
        read = _reader(Question, version1.question)
        for number, _, line in whole_lines(path):
            found = read(line, f"{path}, line {number}")
            if found.key not in keys:
                yield found

    def write_results(self, results: Results) -> None:
        """Replaces `results.json`."""
        refuse_not_finite(results, RESULTS_FILE)
        write_atomically(self.path / RESULTS_FILE, pretty_json(results))

    def samples(self) -> list[Sample]:
        """The final sample of each key, in the order of question ids."""
        return list(self.final_samples())

    def final_samples(self) -> Iterator[Sample]:
        """The final sample of each key, in the order of question ids, read one at a time.

        A malformed line is left out with a warning that names file and line, so its question counts as not asked; so is
        an unfinished last line, of which nothing is said while the run has no results yet.
        """
        path = self.path / SAMPLES_FILE
        places: dict[str, tuple[int, int, int]] = {}
        for number, start, line in whole_lines(path, warn=self.has_results()):
            try:
                head = decode_json(line, _Head, f"{path}, line {number}")
            except UsageError as error:
                _leave_out(error)
                continue
            places[head.key] = (head.question.id, start, number)
        if not places:
            return
        read = _reader(Sample, version1.sample)
        with opened(path) as file:
            for _, start, number in sorted(places.values()):
                file.seek(start)
                try:
                    sample = read(file.readline(), f"{path}, line {number}")
                except UsageError as error:
                    _leave_out(error)
                    continue
                yield sample

    def loose_answers(self) -> dict[str, list[Answer]]:
        """Answers to questions without a sample, by the question's key."""
        found: dict[str, list[Answer]] = {}
        path = self.path / ANSWERS_FILE
        for number, _, line in whole_lines(path):
            try:
                loose = decode_json(line, _Loose, f"{path}, line {number}")
            except UsageError as error:
                _leave_out(error)
                continue
            found.setdefault(loose.key, []).append(loose.answer)
        return found

    def samples_hash(self) -> str:
        """SHA-256 of `samples.jsonl`; empty where there is none yet."""
        import hashlib

        path = self.path / SAMPLES_FILE
        if not path.is_file():
            return ""
        with opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _read(self, name: str, kind: type[Any], old: Callable[[bytes], Any]) -> Any:
        path = self.path / name
        if not path.exists() and name == RESULTS_FILE and self.exists():
            raise UsageError(f"{self.path} has no {name} yet: 'egocross-eval score {self.path}' writes it")
        if not path.exists():
            raise UsageError(f"{self.path} is no run folder: it has no {name}{runs_within(self.path)}")
        content = read_bytes(path, follow=False)
        version = decode_json(content, _Versioned, str(path)).schema_version
        if version > SCHEMA_VERSION:
            raise UsageError(
                f"{path} has version {version}, newer than this "
                f"egocross-eval reads ({SCHEMA_VERSION}); upgrade egocross-eval"
            )
        if version > 1:
            return decode_json(content, kind, str(path))
        try:
            return old(content)
        except version1.OTHER_FORM as error:
            raise UsageError(f"{path} is not of the form that version 0.1 wrote: {error}") from error


def _reader(kind: type[T], old: Callable[[bytes], T]) -> Callable[[bytes, str], T]:
    """Decodes a line, of this version or of version 1: a folder that was scored again holds both."""

    def read(line: bytes, where: str) -> T:
        try:
            return decode_json(line, kind, where)
        except DataError as error:
            try:
                return old(line)
            except version1.OTHER_FORM:
                raise error from None

    return read


def _leave_out(error: UsageError) -> None:
    warn_caller(f"left out: {error}")


class _Id(msgspec.Struct):
    id: int


class _Head(msgspec.Struct):
    """As much of a sample as tells which question it is of."""

    key: str
    question: _Id


class _Loose(msgspec.Struct, frozen=True):
    """A line of `answers.jsonl`."""

    key: str
    answer: Answer


class _Versioned(msgspec.Struct):
    schema_version: int


class SampleWriter:
    """Appends samples to a run folder; holds its lock, so that a second process is refused."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._encoder = msgspec.json.Encoder()
        self._lock = locks.acquire(folder.path / LOCK_FILE)
        self._answers: IO[bytes] | None = None
        try:
            self._file = append_to(folder.path / SAMPLES_FILE)
        except BaseException:
            self._lock.release()
            raise

    def write(self, sample: Sample) -> None:
        """Puts one sample on disk: a single unbuffered write, so that a kill can't lose it once this returns."""
        # The question was looked at when the folder was made.
        found = {"answers": sample.answers, "decision": sample.decision, "grade": sample.grade}
        refuse_not_finite(found, f"the sample of {sample.key}")
        append_line(self._file, self._folder.path / SAMPLES_FILE, self._encoder.encode(sample))

    def write_answer(self, key: str, answer: Answer) -> None:
        """Puts one answer to a question that isn't decided yet on disk, as `write` does."""
        if self._answers is None:
            self._answers = append_to(self._folder.path / ANSWERS_FILE)
        refuse_not_finite(answer, f"an answer to {key}")
        append_line(self._answers, self._folder.path / ANSWERS_FILE, self._encoder.encode(_Loose(key, answer)))

    def drop_answers(self) -> None:
        """Closes and removes `answers.jsonl`: all that's in it stands in samples now."""
        if self._answers is not None:
            self._answers.close()
            self._answers = None
        self._folder.drop_answers()

    def close(self) -> None:
        """Syncs to disk and gives the folder free."""
        try:
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
            if self._answers is not None:
                self._answers.close()
            self._lock.release()

    def __enter__(self) -> SampleWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def runs_within(path: Path) -> str:
    """What a folder that is none may hold, for a message: names of the runs directly within it."""
    if not path.is_dir():
        return ""
    found = sorted((str(child) for child in path.iterdir() if (child / RECORD_FILE).is_file()), key=natural_key)
    more = ", ..." if len(found) > _LISTED else ""
    return f", but it holds runs: give one of them ({', '.join(found[:_LISTED])}{more})" if found else ""
