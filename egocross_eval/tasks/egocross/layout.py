"""Where the parts of the benchmark lie below a folder, whichever way people got them.

Files are found by their names, else by what is in them, and frames by where the listed ones are. Layouts that people
have: the benchmark's repository as downloaded (`egocross_testbed/` and `EgoCross_support_set/`), the support set alone
with `train.json` and `frames/` right there, and a folder with the questions file and the five datasets side by side.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from egocross_eval.documents import decode_entries
from egocross_eval.errors import DataError
from egocross_eval.files import read_bytes
from egocross_eval.tasks.egocross.archives import is_archive
from egocross_eval.tasks.egocross.catalogue import DATASET_DOMAINS, DOMAINS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from egocross_eval.contracts.task import DataSource
    from egocross_eval.schema import Question

TESTBED_FOLDER = "egocross_testbed"
QUESTIONS_NAME = "egocross_testbed_imgs.json"
ANSWERS_NAME = "egocross_testbed_answers.json"
SUPPORT_FOLDER = "egocross_support_set"
SUPPORT_NAME = "train.json"

_DOMAIN_NAMES = tuple(f"train_{domain}.json" for domain in DOMAINS)
_SKIPPED = frozenset({"frames", "generated", *DATASET_DOMAINS})
"""Folders of frames: nothing but more of them is inside."""

_MOST_FOLDERS = 500
_MOST_TRIED = 50
_LARGEST_TRIED = 32 * 2**20
_LEVELS_UP = 3
_TRIED = 25
"""Questions whose first frame is looked for."""


class _Entry(msgspec.Struct):
    """The fields by which files of unknown names are told apart; only their presence counts."""

    video_path: Any = None
    question_text: Any = None
    images: Any = None
    messages: Any = None
    conversations: Any = None


class Prefix(msgspec.Struct, frozen=True):
    """How names in a file become names below the data root: `cut` is taken off in front and `put` set before them."""

    cut: str = ""
    put: str = ""

    def name(self, written: str) -> str:
        """The name below the data root; `written` is relative and checked already."""
        return self.put + written.removeprefix(self.cut)


class SplitFiles(NamedTuple):
    """The files that a split is read from."""

    questions: tuple[Path, ...]
    answers: Path | None = None


def split_parts(root: Path, source: DataSource) -> SplitFiles:
    """The files that a split is read from; errors as `testbed_files` and `support_files` raise them."""
    if source.split == "support":
        return SplitFiles(support_files(root, source.questions_file))
    questions, answers = testbed_files(root, source)
    return SplitFiles((questions,), answers)


def split_files(root: Path, source: DataSource) -> tuple[Path, ...]:
    """All of `split_parts`."""
    questions, answers = split_parts(root, source)
    return questions if answers is None else (*questions, answers)


def testbed_files(root: Path, source: DataSource) -> tuple[Path, Path | None]:
    """The questions file and the answers file, if any.

    A `DataError` says how to get the first, or the right data root, where it isn't there.
    """
    path = _given(source.questions_file) or _found(root, TESTBED_FOLDER, _testbed_in, _is_testbed)
    if path is None:
        raise _missing(
            root,
            f"there is no {QUESTIONS_NAME} in {root} or its folder {TESTBED_FOLDER}; get it with "
            f"'egocross-eval data fetch testbed --output {root}' or name it by --questions"
            f"{_there_is(root, SUPPORT_FOLDER, _support_in, 'support')}",
        )
    beside = [path.parent, *_likely(root, TESTBED_FOLDER)]
    answers = next((folder / ANSWERS_NAME for folder in beside if (folder / ANSWERS_NAME).is_file()), None)
    return path, _given(source.answers_file) or answers


def support_files(root: Path, given: Path | None) -> tuple[Path, ...]:
    """The files to read; a `DataError` says how to get them, or the right data root, where they aren't there."""
    path = _given(given) or _found(root, SUPPORT_FOLDER, _support_in, _is_support)
    if path is None:
        raise _missing(
            root,
            f"there is no {SUPPORT_NAME} in {root / SUPPORT_FOLDER}; get it with "
            f"'egocross-eval data fetch support --output {root}' or name it by --questions"
            f"{_there_is(root, TESTBED_FOLDER, _testbed_in, 'testbed')}",
        )
    if given is not None or path.name not in _DOMAIN_NAMES:
        return (path,)
    parts = tuple(path.with_name(name) for name in _DOMAIN_NAMES)
    missing = ", ".join(part.name for part in parts if not part.is_file())
    if missing:
        raise DataError(f"{path.parent} lacks {missing}; fetch it again, or name one file by --questions")
    return parts


def frame_prefix(root: Path, file: Path, known: str, written: Sequence[Sequence[str]]) -> Prefix | None:
    """How the frame names of each question in `file` have to be read, so that one of them is there; None: none is.

    They are tried as they stand and without their first folders, beside the file, in the folder called `known`, in the
    root and in the folders below it.
    """
    folders = [file.resolve().parent, *_likely(root, known), *_subfolders(root)]
    puts = dict.fromkeys(_put(root, folder) for folder in folders if folder.is_relative_to(root))
    tried = written[:: max(1, len(written) // _TRIED)]
    names = [name.removeprefix("/").split("/") for names in tried for name in names[:1] if ".." not in name]
    for count in range(max(map(len, names), default=1) - 1):
        for put in puts:
            for name in names:
                if count < len(name) and _is_file(root / put / "/".join(name[count:])):
                    return Prefix("".join(f"{part}/" for part in name[:count]), put)
    return None


def no_frames(root: Path, known: str, questions: Sequence[Question]) -> str:
    """Says that none of the frames looked for is there, with what may be the reason."""
    packed = [path.name for folder in _likely(root, known) for path in sorted(folder.glob("*.*")) if is_archive(path)]
    part = "testbed" if known == TESTBED_FOLDER else "support"
    reason = f"{packed[0]} isn't unpacked yet" if packed else "if they lie elsewhere, name that folder by --data"
    name = questions[0].frames[0].name
    get = f"'egocross-eval data fetch {part} --output {root}'"
    return f"no frames are there, e.g. {name} below {root}; {reason}; {get} gets them"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _put(root: Path, folder: Path) -> str:
    return "" if folder == root else f"{folder.relative_to(root).as_posix()}/"


def _given(path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise DataError(f"the file {str(path)!r} does not exist")
    return path


def _found(
    root: Path, known: str, by_name: Callable[[Path], Path | None], by_content: Callable[[Path], bool]
) -> Path | None:
    likely = _likely(root, known)
    for folder in likely:
        if path := by_name(folder):
            return path
    found = [path for folder in likely for path in _json_files(folder) if by_content(path)]
    if not found:
        deeper = dict.fromkeys(place for folder in _subfolders(root) for place in (folder, *_named(folder, known)))
        found = [path for folder in deeper if (path := by_name(folder))]
    if len(found) > 1:
        listed = ", ".join(map(str, found[:4]))
        raise DataError(f"{root} has several files that it could be: {listed}; name one by --questions, or a data root")
    return found[0] if found else None


def _missing(root: Path, message: str) -> DataError:
    """The error for a part that isn't there, with the data root that was probably meant: one of the folders above."""
    for folder in [*root.parents][:_LEVELS_UP]:
        testbed, support = _named(folder, TESTBED_FOLDER), _named(folder, SUPPORT_FOLDER)
        if any(map(_testbed_in, [*testbed, folder])) or any(map(_support_in, support)):
            right = folder.parent if folder.name.casefold() == TESTBED_FOLDER else folder
            return DataError(f"{root} is no data root; that is probably {right}: --data {right}")
    return DataError(message)


def _there_is(root: Path, known: str, by_name: Callable[[Path], Path | None], split: str) -> str:
    """A clause that says that another split is there."""
    return f"; the {split} split is there: --split {split}" if any(map(by_name, _likely(root, known))) else ""


def _likely(root: Path, known: str) -> list[Path]:
    return [*_named(root, known), root]


def _named(folder: Path, known: str) -> list[Path]:
    """Its folder of that name, however its capitals are."""
    return [path for path in _folders_in(folder) if path.name.casefold() == known]


def _subfolders(root: Path) -> list[Path]:
    """Folders one and two levels below the root that may hold files of the benchmark, a few hundred at most."""
    first = _folders_in(root)
    return [*first, *(inner for folder in first for inner in _folders_in(folder))][:_MOST_FOLDERS]


def _folders_in(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir())[:_MOST_FOLDERS]
        return [path for path in entries if path.name not in _SKIPPED and path.name[0] != "." and path.is_dir()]
    except OSError:
        return []


def _testbed_in(folder: Path) -> Path | None:
    path = folder / QUESTIONS_NAME
    return path if path.is_file() else None


def _support_in(folder: Path) -> Path | None:
    return next((path for name in (SUPPORT_NAME, *_DOMAIN_NAMES) if (path := folder / name).is_file()), None)


def _json_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*.json*"))[:_MOST_TRIED]:
        if path.suffix in (".json", ".jsonl") and path.is_file() and path.stat().st_size <= _LARGEST_TRIED:
            yield path


def _first_entry(path: Path) -> _Entry | None:
    try:
        return next(iter(decode_entries(read_bytes(path), _Entry, "")), None)
    except DataError:
        return None


def _is_testbed(path: Path) -> bool:
    entry = _first_entry(path)
    return entry is not None and None not in (entry.video_path, entry.question_text)


def _is_support(path: Path) -> bool:
    entry = _first_entry(path)
    return entry is not None and entry.images is not None and (entry.messages or entry.conversations) is not None
