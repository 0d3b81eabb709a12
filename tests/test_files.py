"""Files are written whole or not at all and never through a link, and only regular files of bounded size are read."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from egocross_eval.errors import DataError, RunError, UsageError
from egocross_eval.files import (
    holds_nothing,
    new_folder,
    open_for_appending,
    open_regular,
    read_bytes,
    remove_unfinished,
    write_file,
    writing,
)
from egocross_eval.runs.store import write_atomically

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file of the user's that no attack may change."""
    path = tmp_path / "victim"
    path.write_text("precious")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that someone else made."""
    path = tmp_path / "run"
    path.mkdir()
    return path


def test_a_file_is_written_with_the_permissions_that_any_new_file_gets(folder: Path) -> None:
    plain = folder / "plain"
    plain.write_text("")
    write_file(folder / "new", "text é")
    assert (folder / "new").read_bytes() == "text é".encode()
    assert (folder / "new").stat().st_mode == plain.stat().st_mode


def test_a_replaced_file_hands_on_its_permissions(folder: Path) -> None:
    path = folder / "secret"
    path.write_text("old")
    path.chmod(0o640)
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_links_at_formerly_predictable_scratch_names_are_left_alone(folder: Path, victim: Path) -> None:
    name = "results.json"
    planted = [f".{name}.{os.getpid()}", f".{name}.tmp", f"{name}.tmp", f"{name}.part", f"{name}.before"]
    for link in planted:
        (folder / link).symlink_to(victim)
    write_atomically(folder / name, b"{}")
    assert (folder / name).read_bytes() == b"{}"
    assert victim.read_text() == "precious"
    assert sorted(path.name for path in folder.iterdir()) == sorted([name, *planted])


def test_a_link_as_the_target_is_replaced_by_a_file(folder: Path, victim: Path) -> None:
    (folder / "leaderboard.md").symlink_to(victim)
    write_file(folder / "leaderboard.md", "# board")
    assert victim.read_text() == "precious"
    assert not (folder / "leaderboard.md").is_symlink()


def test_a_link_that_leads_nowhere_makes_no_file_there(folder: Path, tmp_path: Path) -> None:
    (folder / "results.json").symlink_to(tmp_path / "planted")
    write_file(folder / "results.json", "{}")
    assert not (tmp_path / "planted").exists()


@pytest.mark.parametrize("name", ["folder", "pipe", "/dev/null"])
def test_a_folder_pipe_or_device_is_no_place_for_a_file(folder: Path, name: str) -> None:
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    with pytest.raises(UsageError, match="it is"):
        write_file(folder / name, "text")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_an_error_in_the_middle_keeps_the_old_file_and_leaves_nothing_else(folder: Path) -> None:
    path = folder / "data.json"
    path.write_text("old")

    def killed() -> None:
        with writing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert path.read_text() == "old"
    assert list(folder.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_named(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"can't write .*missing/file: No such file or directory"):
        write_file(folder / "missing" / "file", "")
    with pytest.raises(RunError, match=r"can't write .*missing/file"):
        write_atomically(folder / "missing" / "file", b"")


def test_what_a_killed_writer_left_counts_as_nothing(folder: Path) -> None:
    assert holds_nothing(folder / "absent")
    (folder / "own").touch()
    scratch = writing(folder / "file")
    scratch.__enter__()
    assert [path.name for path in folder.iterdir()] != ["own"]
    assert holds_nothing(folder, but=["own"])
    assert not holds_nothing(folder)


def test_what_killed_writers_left_is_removed_and_what_is_being_written_stays(folder: Path) -> None:
    (folder / ".egocross-dead.part").write_bytes(b"half")
    (folder / ".egocross-link.part").symlink_to(folder / "elsewhere")
    (folder / "kept.json").write_bytes(b"{}")
    with writing(folder / "new.json") as file:
        file.write(b"1")
        remove_unfinished(folder)
    assert {path.name for path in folder.iterdir()} == {".egocross-link.part", "kept.json", "new.json"}
    assert (folder / "new.json").read_bytes() == b"1"


def test_two_writers_leave_one_whole_file(folder: Path) -> None:
    path = folder / "shared"
    contents = [bytes([65 + number]) * 100_000 for number in range(4)]
    threads = [threading.Thread(target=write_file, args=(path, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert list(folder.iterdir()) == [path]


def test_a_new_folder_appears_whole_or_not_at_all(folder: Path) -> None:
    with new_folder(folder / "deep" / "made") as scratch:
        (scratch / "file").write_text("1")
        assert not (folder / "deep" / "made").exists()
    assert (folder / "deep" / "made" / "file").read_text() == "1"
    with pytest.raises(ValueError), new_folder(folder / "deep" / "other"):
        raise ValueError
    assert [path.name for path in (folder / "deep").iterdir()] == ["made"]


def test_the_folder_that_another_process_made_meanwhile_stays(folder: Path) -> None:
    with new_folder(folder / "made") as scratch:
        (scratch / "file").write_text("mine")
        (folder / "made").mkdir()
        (folder / "made" / "file").write_text("theirs")
    assert (folder / "made" / "file").read_text() == "theirs"
    assert [path.name for path in folder.iterdir()] == ["made"]


def test_nothing_is_appended_through_a_link(folder: Path, victim: Path) -> None:
    (folder / "samples.jsonl").symlink_to(victim)
    with pytest.raises(OSError, match="it is a link"):
        open_for_appending(folder / "samples.jsonl")
    assert victim.read_text() == "precious"


def test_a_file_is_appended_to(folder: Path) -> None:
    for text in (b"one\n", b"two\n"):
        with open_for_appending(folder / "log") as file:
            file.write(text)
    assert (folder / "log").read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize("name", ["pipe", "/dev/zero"])
def test_pipes_and_devices_are_refused_without_waiting(folder: Path, name: str) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(DataError, match="no regular file but a pipe or a device"):
        read_bytes(folder / name)
    with pytest.raises(OSError, match="no regular file"):
        open_regular(folder / name)


def test_a_link_is_followed_only_where_that_is_wanted(folder: Path, victim: Path) -> None:
    (folder / "link").symlink_to(victim)
    assert read_bytes(folder / "link") == b"precious"
    with pytest.raises(DataError, match="it is a link"):
        read_bytes(folder / "link", follow=False)


def test_a_file_larger_than_allowed_is_not_read(folder: Path) -> None:
    (folder / "huge").write_bytes(b"12345")
    assert read_bytes(folder / "huge", limit=5) == b"12345"
    with pytest.raises(DataError, match="more than 4 bytes"):
        read_bytes(folder / "huge", limit=4)


def test_what_is_not_there_is_said(folder: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_bytes(folder / "absent")
    with pytest.raises(DataError, match="it is a folder"):
        read_bytes(folder)
