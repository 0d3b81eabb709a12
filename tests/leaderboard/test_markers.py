"""The table between two markers of a file is replaced, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.errors import UsageError
from egocross_eval.leaderboard.markers import END, START, replace_between, update_file

README = f"# Title\n\n{START}\nold\n{END}\n\ntext\n"


def test_only_what_lies_between_the_markers_changes(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(README)
    path.chmod(0o640)
    assert update_file(path, "| new |\n")
    assert path.read_text() == f"# Title\n\n{START}\n\n| new |\n\n{END}\n\ntext\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_table_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(README)
    update_file(path, "new\n")
    before = path.stat().st_mtime_ns
    assert not update_file(path, "new\n")
    assert path.stat().st_mtime_ns == before


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "real.md", tmp_path / "link.md"
    path.write_text(README)
    link.symlink_to(path)
    update_file(link, "new")
    assert link.is_symlink()
    assert "new" in path.read_text()


def test_windows_line_ends_are_kept() -> None:
    text = README.replace("\n", "\r\n")
    assert "\n" not in replace_between(text, "a\nb\n").replace("\r\n", "")


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        f"{START}\n",
        f"{END}\n",
        f"{START}\n{START}\n{END}\n",
        f"{START}\n{END}\n{END}\n",
        f"{END}\n{START}\n",
    ],
    ids=["none", "no end", "no start", "two starts", "two ends", "wrong order"],
)
def test_missing_or_repeated_markers_are_refused_and_the_file_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(UsageError, match="nothing was changed"):
        update_file(path, "new")
    assert path.read_text() == text


def test_a_table_that_holds_a_marker_is_refused() -> None:
    with pytest.raises(UsageError, match="holds one of the markers"):
        replace_between(README, f"| {END} |")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="can't read"):
        update_file(path, "new")


@given(st.text(), st.text(), st.text())
def test_all_around_the_markers_is_kept(before: str, content: str, after: str) -> None:
    text = f"{before}{START}old{END}{after}"
    result = replace_between(text, content)
    assert result.startswith(before + START)
    assert result.endswith(END + after)
    assert replace_between(result, content) == result
