"""Puts a site where others see it: another folder, the pages of a git repository, or a static Space of the Hub.

Nothing is sent by `preview`; what a site must not show unless asked for is refused before anything is sent.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from egocross_eval.counted import counted
from egocross_eval.errors import UsageError
from egocross_eval.files import new_folder
from egocross_eval.leaderboard.site.folder import MARKER, SiteContent, refuse_other_content, site_content

BRANCH = "gh-pages"
"""Where the pages of a repository are looked for."""

PLACES = ("folder", "github-pages", "hf-space")


class Preview(NamedTuple):
    """What would be published."""

    files: tuple[Path, ...]
    """Relative to the site."""
    bytes: int
    content: SiteContent


def preview(site: Path, *, answers: bool, frames: bool) -> Preview:
    """Looks through the site in a folder. `answers` and `frames`: these may be published.

    Raises `UsageError` where the folder holds no site of ours, a link, or what may not be published.
    """
    content = site_content(site)
    if content.answers and not answers:
        raise UsageError(
            f"{site} shows what is right; write it anew with 'site --no-answers', or publish it all the same: --answers"
        )
    if content.frames and not frames:
        raise UsageError(
            f"{site} holds {content.frames} thumbnails of frames, which are gated; write it anew without --frames, "
            f"or publish them with their owners' leave: --frames"
        )
    files = tuple(sorted(path for path in site.rglob("*") if not path.is_dir() or path.is_symlink()))
    links = [path for path in files if path.is_symlink() or not path.is_file()]
    if links:
        raise UsageError(f"{links[0]} is a link or no file: a site holds files alone; write it anew")
    names = tuple(path.relative_to(site) for path in files if path.name != MARKER)
    return Preview(names, sum((site / name).stat().st_size for name in names), content)


def check_place(site: Path, place: str, target: str) -> None:
    """Raises `UsageError` where publishing there would lose something: the site itself, what isn't a site, a key."""
    if place != "folder":
        try:
            address = urlsplit(target)
        except ValueError as error:
            raise UsageError(f"--to: {target!r} is no address: {error}") from error
        if address.password or (address.username and address.scheme in ("http", "https")):
            raise UsageError(
                "--to: an address with a user or token in it, which would be printed and kept; let git ask for it "
                "(git config credential.helper), or use ssh: git@HOST:OWNER/NAME.git"
            )
        return
    there, here = Path(target).resolve(), site.resolve()
    if there == here or here in there.parents or there in here.parents:
        raise UsageError(f"{target} is the site itself, or one lies in the other; choose a folder outside of {site}")
    if there.exists() and not there.is_dir():
        raise UsageError(f"{target} is no folder; choose another")
    refuse_other_content(there)


def publish(site: Path, made: Preview, place: str, target: str) -> str:
    """Publishes the previewed files at `target`: a folder, a repository's address, or `OWNER/NAME`.

    Returns a line that says where they are. Raises `UsageError` where that fails, with the tool's own words, or as
    `check_place` does.
    """
    check_place(site, place, target)
    if place == "folder":
        return _to_folder(site, made, Path(target))
    return _to_pages(site, made, target) if place == "github-pages" else _to_space(site, made, target)


def _copy(site: Path, made: Preview, target: Path) -> None:
    for name in made.files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(site / name, target / name)


def _to_folder(site: Path, made: Preview, target: Path) -> str:
    """A whole copy is there before an older site goes."""
    place = target.resolve()
    try:
        with new_folder(place) as fresh:
            _copy(site, made, fresh)
            shutil.copyfile(site / MARKER, fresh / MARKER)
            if place.exists():
                shutil.rmtree(place)
    except OSError as error:
        raise UsageError(f"can't write to {target}: {error.strerror or error}") from error
    return f"{counted(len(made.files), 'file')} in {target}"


def _to_pages(site: Path, made: Preview, repository: str) -> str:
    with tempfile.TemporaryDirectory(prefix="egocross-pages-") as folder:
        clone = Path(folder) / "clone"
        if _git(Path(folder), "ls-remote", "--heads", "--", repository, BRANCH).strip():
            _git(Path(folder), "clone", "--quiet", "--depth=1", f"--branch={BRANCH}", "--", repository, str(clone))
            _git(clone, "rm", "-r", "--quiet", "--ignore-unmatch", ".")
        else:
            _git(Path(folder), "init", "--quiet", f"--initial-branch={BRANCH}", str(clone))
            _git(clone, "remote", "add", "origin", repository)
        _copy(site, made, clone)
        # Without it, files are taken for sources of another generator.
        (clone / ".nojekyll").touch()
        _git(clone, "add", "--all")
        if not _git(clone, "status", "--porcelain").strip():
            return f"{repository} has this very site on its branch {BRANCH} already"
        _git(clone, "commit", "--quiet", "--message", "Publish the site")
        _git(clone, "push", "--quiet", "origin", BRANCH)
    return f"{counted(len(made.files), 'file')} on the branch {BRANCH} of {repository}"


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise UsageError("git isn't installed; publish to folder:DIR and upload that") from error
    if done.returncode != 0:
        raise UsageError(f"git {arguments[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


_CARD = """---
title: {title}
sdk: static
pinned: false
---
"""


def _to_space(site: Path, made: Preview, name: str) -> str:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import LocalTokenNotFoundError

    api = HfApi()
    try:
        api.whoami()
        api.create_repo(name, repo_type="space", space_sdk="static", exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="egocross-space-") as folder:
            _copy(site, made, Path(folder))
            (Path(folder) / "README.md").write_text(_CARD.format(title=made.content.title), encoding="utf-8")
            api.upload_folder(
                repo_id=name,
                repo_type="space",
                folder_path=folder,
                delete_patterns="*",
                commit_message="Publish the site",
            )
    except LocalTokenNotFoundError as error:
        raise UsageError("you aren't signed in to the Hub: run 'hf auth login', or set HF_TOKEN") from error
    except Exception as error:  # the Hub's refusal, or whatever its client's HTTP library raises of the network
        raise UsageError(f"the Hub didn't take {name}: {error}") from error
    return f"{counted(len(made.files), 'file')} in the Space {name}"
