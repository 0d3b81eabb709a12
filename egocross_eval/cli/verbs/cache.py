"""`egocross-eval cache`: how much the caches hold, and emptying them."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import msgspec

from egocross_eval.replies import Reply, replies


class CacheReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the cache holds."""

    folder: Path
    bytes: dict[str, int]
    """By part."""


class Freed(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed."""

    folder: Path
    bytes: int


@click.group(name="cache", invoke_without_command=True)
@replies()
@click.pass_context
def command(ctx: click.Context) -> Reply[CacheReport] | None:
    """Say where the cache is and how much it holds, or empty it.

    It keeps answers of models (so that equal requests aren't asked twice) and what can be made again. Another place is
    named by the environment variable EGOCROSS_CACHE.

    \b
    egocross-eval cache
    egocross-eval cache clear responses
    """
    if ctx.invoked_subcommand is not None:
        return None
    from egocross_eval.directories import cache_directory

    root = cache_directory()
    sizes = {name: sum(map(_size, paths)) for name, paths in _parts(root).items()}
    found = CacheReport(folder=root, bytes=sizes)
    return Reply(value=found, show=lambda: _show(found))


def _show(found: CacheReport) -> None:
    from egocross_eval.cli.show.terminal import size_text

    click.echo(f"{found.folder}")
    for name, size in found.bytes.items():
        click.echo(f"  {name:<20} {size_text(size):>10}")
    if not found.bytes:
        click.echo("  empty")


@command.command()
@click.argument("parts", nargs=-1, required=True)
@replies()
def clear(parts: tuple[str, ...]) -> Reply[Freed]:
    """Remove PARTS of the cache, or all of it. What is asked again afterwards costs again.

    \b
    egocross-eval cache clear responses
    egocross-eval cache clear all
    """
    from egocross_eval.cli.show.terminal import size_text
    from egocross_eval.directories import cache_directory
    from egocross_eval.errors import unknown

    root = cache_directory()
    found = _parts(root)
    for name in parts:
        if name not in (*found, "all"):
            raise unknown("part of the cache", name, (*found, "all"))
    freed = 0
    for name in found if "all" in parts else parts:
        for path in found[name]:
            freed += _size(path)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    told = f"{size_text(freed)} removed from {root}"
    return Reply(value=Freed(folder=root, bytes=freed), show=lambda: click.echo(told))


def _parts(root: Path) -> dict[str, list[Path]]:
    """What lies in the cache, by its name up to the first dot: a database has files beside it."""
    parts: dict[str, list[Path]] = {}
    for path in sorted(root.iterdir()):
        parts.setdefault(path.name.partition(".")[0] or path.name, []).append(path)
    return parts


def _size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.lstat().st_size for file in files if file.is_file() or file.is_symlink())
