"""What is published can be installed and works: wheel and source archive, on each Python that is here, each extra."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from egocross_eval import __version__

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = sorted(PROJECT["optional-dependencies"])
PYTHONS = ("3.11", "3.12", "3.13")

pytestmark = pytest.mark.release


def python_of(version: str) -> str | None:
    """An interpreter of that version, on the path or below pyenv; a shim for a version not chosen doesn't run."""
    name = f"python{version}"
    found = [shutil.which(name), *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}"))]
    for path in filter(None, found):
        if subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            return path
    return None


def uv(*arguments: str | Path, **environment: str) -> str:
    command = ["uv", *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def built(target: Path, kind: str) -> Path:
    """A wheel or source archive of a copy of the tracked files, so that nothing that lies about gets in."""
    copy = target / "copy"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target / "dist")]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    (archive,) = (target / "dist").iterdir()
    return archive


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def constraints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The versions of the lock, without hashes: what isn't asked for is left out."""
    pinned = [
        line.split(" \\")[0] for line in (ROOT / "requirements/demo.txt").read_text().splitlines() if "==" in line
    ]
    path = tmp_path_factory.mktemp("lock") / "constraints.txt"
    path.write_text("\n".join(pinned) + "\n")
    return path


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_two_builds_give_the_same_bytes(kind: str, tmp_path: Path) -> None:
    archives = [built(tmp_path / name, kind) for name in ("one", "two")]
    assert archives[0].name == archives[1].name
    digests = {hashlib.sha256(archive.read_bytes()).hexdigest() for archive in archives}
    assert len(digests) == 1


def test_the_source_archive_has_the_package_and_what_it_comes_with_alone(tmp_path: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "egocross_eval"], cwd=ROOT, capture_output=True, text=True, check=True)
    beside = {".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    with tarfile.open(built(tmp_path, "sdist")) as opened:
        members = {member.name.partition("/")[2] for member in opened.getmembers() if member.isfile()}
    assert members == {*listed.stdout.splitlines(), *beside}


def test_the_source_archive_has_what_builds_the_wheel(tmp_path: Path, wheel: Path) -> None:
    archive = built(tmp_path, "sdist")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path / "out", filter="data")
    (source,) = (tmp_path / "out").iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "again")]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (again,) = (tmp_path / "again").iterdir()
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())
        assert any(name.endswith("licenses/LICENSE") for name in one.namelist())


@pytest.mark.parametrize("version", PYTHONS)
def test_the_wheel_works_in_an_empty_environment(version: str, wheel: Path, constraints: Path, tmp_path: Path) -> None:
    python = python_of(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    uv("venv", "--quiet", "--python", python, tmp_path / "env")
    inner = tmp_path / "env" / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", inner, "--constraint", constraints, wheel)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "EGOCROSS_CACHE": str(tmp_path / "cache")}

    def run(*arguments: str) -> str:
        command = [str(inner.with_name("egocross-eval")), *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert __version__ in run("--version")
    run("--model", "baseline:longest", "--split", "demo", "--output", "run")
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["counts"]["right"] + results["counts"]["wrong"] == 100
    assert "baseline:longest" in run("leaderboard", "run")
    assert "BROKEN" not in run("plugins")


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_can_be_resolved(extra: str) -> None:
    """Against the index, for the oldest Python; other targets install the large ones for real."""
    text = uv(
        "pip",
        "compile",
        "--quiet",
        "--no-header",
        "--python-version",
        "3.11",
        "--extra",
        extra,
        ROOT / "pyproject.toml",
    )
    named = PROJECT["optional-dependencies"][extra]
    wanted = [requirement.split(">")[0].split("=")[0].split("[")[0].split("<")[0].lower() for requirement in named]
    assert [name for name in wanted if f"\n{name}==" not in f"\n{text.lower()}"] == []


def test_the_citation_names_this_version() -> None:
    import yaml

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == __version__.partition(".dev")[0]
    assert {"title", "message", "authors", "license", "type"} <= set(citation)
    assert citation["license"] == PROJECT["license"]
