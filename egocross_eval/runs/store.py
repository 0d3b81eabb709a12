"""The run folder: the only source of truth about a run.

`run.json` and `questions.jsonl` are written once; `samples.jsonl` only grows, one line per finished question, and the
last line of a key counts. Everything else is derived and can be written again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

import msgspec

from egocross_eval.documents import decode_json, decode_json_lines
from egocross_eval.errors import RunError, UsageError
from egocross_eval.files import open_for_appending, open_regular, read_bytes, write_file
from egocross_eval.schema import SCHEMA_VERSION, Question, Results, RunRecord, Sample

RECORD_FILE = "run.json"
QUESTIONS_FILE = "questions.jsonl"
SAMPLES_FILE = "samples.jsonl"
RESULTS_FILE = "results.json"
PREDICTIONS_FILE = "predictions.json"
SUBMISSION_FILE = "submission.zip"
LEADERBOARD_FILE = "leaderboard.md"
LOCK_FILE = ".lock"


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a whole file or nothing: a crash leaves the old one."""
    try:
        write_file(path, content)
    except UsageError as error:
        raise RunError(str(error)) from error


def pretty_json(value: Any) -> bytes:
    """Indented JSON of a schema object or plain data, with a final newline."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


class RunFolder:
    """Reads and writes one run folder."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def exists(self) -> bool:
        """True where a run has been started in this folder."""
        return (self.path / RECORD_FILE).is_file()

    def record(self) -> RunRecord:
        """`run.json`. Raises `UsageError` where it's missing, malformed or of a newer version."""
        record: RunRecord = self._read(RECORD_FILE, RunRecord)
        return record

    def results(self) -> Results:
        """`results.json`. Raises `UsageError` where it's missing, malformed or of a newer version."""
        results: Results = self._read(RESULTS_FILE, Results)
        return results

    def has_results(self) -> bool:
        """True where `results.json` is there."""
        return (self.path / RESULTS_FILE).is_file()

    def write_record(self, record: RunRecord, questions: Iterable[Question]) -> None:
        """Creates the folder with the questions that the run asks and its `run.json`."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"can't make the run folder {self.path}: {error.strerror or error}") from error
        lines = b"".join(msgspec.json.encode(question) + b"\n" for question in questions)
        write_atomically(self.path / QUESTIONS_FILE, lines)
        write_atomically(self.path / RECORD_FILE, pretty_json(record))

    def questions(self) -> list[Question]:
        """All questions that the run asks. Raises `UsageError` where the file is missing or malformed."""
        path = self.path / QUESTIONS_FILE
        return [question for _, question in decode_json_lines(read_bytes(path, follow=False), Question, str(path))]

    def missing(self, samples: Iterable[Sample]) -> list[Question]:
        """The questions that have no sample yet."""
        answered = {sample.key for sample in samples}
        return [question for question in self.questions() if question.question_id not in answered]

    def write_results(self, results: Results) -> None:
        """Replaces `results.json`."""
        write_atomically(self.path / RESULTS_FILE, pretty_json(results))

    def samples(self) -> list[Sample]:
        """The final sample of each key, in the order of question ids.

        Raises `UsageError` naming file and line where a line is malformed; an unfinished last line is left out.
        """
        final = {sample.key: sample for sample in self._lines()}
        return sorted(final.values(), key=lambda sample: (sample.question.id, sample.key))

    def samples_hash(self) -> str:
        """SHA-256 of `samples.jsonl`; empty where there is none yet."""
        import hashlib

        path = self.path / SAMPLES_FILE
        if not path.is_file():
            return ""
        with _opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _lines(self) -> Iterator[Sample]:
        path = self.path / SAMPLES_FILE
        if not path.is_file():
            return
        with _opened(path) as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield decode_json(line, Sample, f"{path}, line {number}")
                except UsageError as error:
                    raise UsageError(f"{error}; remove that line to ask its question again") from error

    def _read(self, name: str, kind: type[Any]) -> Any:
        path = self.path / name
        if not path.exists():
            raise UsageError(f"{self.path} is no run folder: it has no {name}")
        content = read_bytes(path, follow=False)
        version = decode_json(content, _Versioned, str(path)).schema_version
        if version > SCHEMA_VERSION:
            raise UsageError(
                f"{path} has version {version}, newer than this "
                f"egocross-eval reads ({SCHEMA_VERSION}); upgrade egocross-eval"
            )
        return decode_json(content, kind, str(path))


def _opened(path: Path) -> BufferedReader:
    """A file of the folder, which others may have made: no link out of it is followed."""
    try:
        return os.fdopen(open_regular(path, follow=False)[0], "rb")
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror or error}") from error


class _Versioned(msgspec.Struct):
    schema_version: int


class SampleWriter:
    """Appends samples to a run folder; holds its lock, so that a second process is refused."""

    def __init__(self, folder: RunFolder) -> None:
        import filelock

        self._folder = folder
        self._encoder = msgspec.json.Encoder()
        self._lock = filelock.FileLock(folder.path / LOCK_FILE)
        try:
            self._lock.acquire(timeout=0)
        except filelock.Timeout:
            raise UsageError(
                f"another process is at work on {folder.path}; wait for it or choose another --output"
            ) from None
        try:
            self._file = self._open()
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> IO[bytes]:
        """Opens for appending; cuts off a last line that a killed process left unfinished."""
        path = self._folder.path / SAMPLES_FILE
        try:
            file = open_for_appending(path)
            size = file.seek(0, os.SEEK_END)
            keep = _end_of_last_line(file, size)
            if keep < size:
                file.truncate(keep)
        except OSError as error:
            raise RunError(f"can't write {path}: {error.strerror or error}") from error
        return file

    def write(self, sample: Sample) -> None:
        """Puts one sample on disk: a single unbuffered write, so that a kill can't lose it once this returns."""
        line = self._encoder.encode(sample) + b"\n"
        try:
            written = self._file.write(line)
        except OSError as error:
            raise RunError(f"can't write to {self._folder.path / SAMPLES_FILE}: {error.strerror or error}") from error
        if written != len(line):
            raise RunError(f"can't write to {self._folder.path / SAMPLES_FILE}: the disk is full")

    def close(self) -> None:
        """Syncs to disk and gives the folder free."""
        try:
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
            self._lock.release()

    def __enter__(self) -> SampleWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _end_of_last_line(file: IO[bytes], size: int) -> int:
    """Offset just after the last newline; 0 where there is none."""
    end = size
    while end > 0:
        start = max(0, end - 65536)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
