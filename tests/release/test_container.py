"""The container file without a container: its lines are run as they stand there, in folders in place of the image's.
Left out are apt-get, which only bases without Python need, and useradd, which would change this machine; the command is
run by the number of the file's user where the tests run as root and that user may read a Python."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("/opt/egocross", "/src", "/cache", "/data", "/runs")
EXTRA = "site"
"""A small one; the others are resolved by test_release.py."""

pytestmark = pytest.mark.release


def instructions() -> list[tuple[str, str]]:
    """What the file says, an instruction each: its word and the rest."""
    lines = (ROOT / "container" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    whole = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    return [(word, rest) for line in whole.splitlines() if line for word, _, rest in [line.partition(" ")]]


def said(word: str) -> list[str]:
    return [rest for found, rest in instructions() if found == word]


def in_context(path: Path) -> bool:
    """Whether .dockerignore lets a file through: the last pattern that matches it, or a folder above, counts."""
    name, kept = path.relative_to(ROOT).as_posix(), True
    above = [name, *(str(parent) for parent in Path(name).parents if str(parent) != ".")]
    for pattern in (ROOT / ".dockerignore").read_text(encoding="utf-8").split():
        if any(
            fnmatch(one, pattern.lstrip("!").removeprefix("**/")) or fnmatch(one, pattern.lstrip("!")) for one in above
        ):
            kept = pattern.startswith("!")
    return kept


class Image(NamedTuple):
    """What the lines made."""

    root: Path
    environment: dict[str, str]
    user: int
    """By whose number the command is run; 0: by nobody else."""

    def place(self, text: str) -> str:
        """A text with the image's folders in place of their names."""
        return re.sub("|".join(f"{folder}\\b" for folder in FOLDERS), lambda folder: f"{self.root}{folder[0]}", text)

    def start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """As `docker run egocross-eval ARGUMENTS`: the entry point, by the file's user in its folder."""
        (entry,) = said("ENTRYPOINT")
        given = list(arguments) or json.loads(said("CMD")[0])
        return subprocess.run(
            [*json.loads(entry), *given],
            cwd=self.place(said("WORKDIR")[-1]),
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            user=self.user or None,
            group=self.user or None,
            extra_groups=[] if self.user else None,
        )


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    root = Path(tempfile.mkdtemp(prefix="egocross-container-"))
    root.chmod(0o755)
    try:
        yield made(root)
    finally:
        shutil.rmtree(root)


def made(root: Path) -> Image:
    """Runs the instructions in their order."""
    python, user = interpreter()
    environment = {"PATH": os.environ["PATH"], "HOME": str(root / "home"), "EXTRA": EXTRA, "LANG": "C.UTF-8"}
    image = Image(root, environment, user)
    stand_ins(root / "bin", user)
    (root / "bin" / "python3").symlink_to(python)
    (root / "home").mkdir()
    work = root
    for word, rest in instructions():
        if word == "ENV":
            for name, value in re.findall(r"(\w+)=(\S+)", image.place(rest)):
                image.environment[name] = value.replace("$PATH", image.environment["PATH"])
        elif word == "WORKDIR":
            work = Path(image.place(rest))
            work.mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            copy(*rest.split(), to=work)
        elif word == "RUN":
            run(image, rest, work)
    return image


def interpreter() -> tuple[str, int]:
    """The Python of the base, and the number of the file's user if that one may read it; the tests' own is mostly in a
    home."""
    system, (user,) = "/usr/bin/python3", said("USER")
    needed = "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"
    if os.geteuid() != 0 or not Path(system).exists() or subprocess.run([system, "-c", needed], check=False).returncode:
        return str(Path(sys.executable).resolve()), 0
    return system, int(user)


def stand_ins(folder: Path, user: int) -> None:
    """`useradd` writes down what it was told, and `chown` gives what it's told to that user's number, if any."""
    folder.mkdir()
    (folder / "useradd").write_text(f'#!/bin/sh\necho "$@" > {folder}/users\n')
    given = f'shift; exec /bin/chown {user} "$@"' if user else "exit 0"
    (folder / "chown").write_text(f"#!/bin/sh\n{given}\n")
    for name in ("useradd", "chown"):
        (folder / name).chmod(0o755)


def copy(*words: str, to: Path) -> None:
    """The tracked files of a COPY that are in the context."""
    *sources, target = words
    listed = subprocess.run(["git", "ls-files", *sources], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.splitlines() if in_context(ROOT / name)]
    assert {source for source in sources if not any(name.startswith(source) for name in names)} == set()
    for name in names:
        place = to / target / name if target == "./" else to / target / Path(name).relative_to(sources[0])
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place)


def run(image: Image, script: str, work: Path) -> None:
    (shell,) = said("SHELL")
    environment = {**os.environ, **image.environment, "PATH": f"{image.root}/bin:{image.environment['PATH']}"}
    command = [*json.loads(shell), image.place(script)]
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_shows_help(image: Image) -> None:
    done = image.start()
    assert done.returncode == 0, done.stderr
    assert "Usage: egocross-eval" in done.stdout


def test_its_user_runs_a_model_and_keeps_runs_and_cache_in_the_volumes(image: Image) -> None:
    done = image.start("--model", "baseline:longest", "--split", "demo", "--limit", "4", "--output", "mine")
    assert done.returncode == 0, done.stderr
    assert (image.root / "runs" / "mine" / "results.json").is_file()
    assert any((image.root / "cache").iterdir())
    assert set(json.loads(said("VOLUME")[0])) == {"/cache", "/data", "/runs"}


def test_the_extra_that_was_asked_for_is_there(image: Image) -> None:
    done = image.start("site", "mine", "--no-published", "--output", "site")
    assert done.returncode == 0, done.stderr
    assert (image.root / "runs" / "site" / "index.html").is_file()


def test_its_user_is_the_one_that_is_made(image: Image) -> None:
    words = (image.root / "bin" / "users").read_text().split()
    assert words[words.index("--uid") + 1] == said("USER")[0]
    assert int(said("USER")[0]) != 0


def test_nothing_but_what_is_copied_is_sent_to_the_builder() -> None:
    copied = {source for rest in said("COPY") for source in rest.split()[:-1]}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    sent = {name.split("/")[0] for name in listed.splitlines() if in_context(ROOT / name)}
    assert sent == copied
