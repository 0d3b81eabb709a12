"""Paths of data files stay below the data root."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egocross_eval.errors import DataError, UnsafePathError
from egocross_eval.frames.roots import DataRoot, relative_name


def test_a_leading_slash_is_no_real_root(tmp_path: Path) -> None:
    frame = tmp_path / "egocross_testbed" / "a.jpg"
    frame.parent.mkdir()
    frame.write_bytes(b"x")
    assert DataRoot(tmp_path).resolve("/egocross_testbed/a.jpg") == frame
    assert DataRoot(tmp_path).resolve("egocross_testbed/a.jpg") == frame


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "../a.jpg",
        "/../a.jpg",
        "a/../../b.jpg",
        "a/..",
        "//etc/passwd",
        "C:/windows/a.jpg",
        "c:a.jpg",
        "a\\..\\b.jpg",
        "\\\\server\\share\\a.jpg",
        "a\0.jpg",
        "a\n.jpg",
    ],
)
def test_a_name_that_could_lead_outside_is_refused_and_said_whose_it_is(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafePathError, match="question 12"):
        DataRoot(tmp_path).resolve(name, owner="question 12")


def test_dots_within_a_name_are_fine(tmp_path: Path) -> None:
    assert DataRoot(tmp_path).resolve("a..b/c...jpg") == tmp_path / "a..b" / "c...jpg"


def test_a_missing_file_resolves_so_that_its_absence_can_be_reported(tmp_path: Path) -> None:
    assert DataRoot(tmp_path).resolve("no/such.jpg") == tmp_path / "no" / "such.jpg"


def test_a_file_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(b"x")
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.jpg").symlink_to(outside)
    with pytest.raises(UnsafePathError, match="symbolic link"):
        DataRoot(root).resolve("a.jpg")


def test_a_folder_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "root-but-not-quite"
    outside.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (root / "frames").symlink_to(outside, target_is_directory=True)
    with pytest.raises(UnsafePathError, match="symbolic link"):
        DataRoot(root).resolve("frames/a.jpg")


def test_a_link_within_the_root_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.jpg").write_bytes(b"x")
    (tmp_path / "alias").symlink_to(tmp_path / "real", target_is_directory=True)
    (tmp_path / "b.jpg").symlink_to(tmp_path / "real" / "a.jpg")
    root = DataRoot(tmp_path)
    assert root.resolve("alias/a.jpg") == tmp_path / "real" / "a.jpg"
    assert root.resolve("b.jpg") == tmp_path / "real" / "a.jpg"


def test_a_link_that_appears_later_is_still_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    data_root = DataRoot(root)
    assert data_root.resolve("a.jpg") == root / "a.jpg"
    (root / "a.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    with pytest.raises(UnsafePathError):
        data_root.resolve("a.jpg")


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.jpg").write_bytes(b"x")
    (tmp_path / "alias").symlink_to(tmp_path / "real", target_is_directory=True)
    assert DataRoot(tmp_path / "alias").resolve("a.jpg") == tmp_path / "real" / "a.jpg"


def test_a_root_that_is_no_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        DataRoot(tmp_path / "nowhere")


_PIECES = st.sampled_from(["a", "..", ".", "", "b.jpg", "C:", "\\", "\0", "~", "...", " "])


@given(st.lists(_PIECES, max_size=6).map("/".join) | st.text(max_size=30))
def test_whatever_the_name_it_resolves_below_the_root_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    root = tmp_path_factory.getbasetemp()
    try:
        path = DataRoot(root).resolve(name)
    except UnsafePathError:
        return
    assert path.resolve().is_relative_to(root.resolve())


@given(st.text(max_size=30))
def test_an_accepted_name_goes_no_step_up_and_is_not_absolute(name: str) -> None:
    try:
        bare = relative_name(name)
    except UnsafePathError:
        return
    assert not bare.startswith("/")
    assert ".." not in bare.split("/")
    assert "\0" not in bare
