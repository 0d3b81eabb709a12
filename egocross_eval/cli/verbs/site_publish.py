"""`egocross-eval site publish SITE --to PLACE:TARGET`: puts a site where others see it."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from egocross_eval.counted import counted
from egocross_eval.leaderboard.site.folder import SiteContent
from egocross_eval.replies import Reply, replies


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """A site that was published, or that would be."""

    content: SiteContent
    files: int
    bytes: int
    target: str
    published: str
    """Where it is, in words; empty without `--yes`."""


@click.command(name="publish")
@click.argument("site", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--to",
    "where",
    required=True,
    metavar="PLACE:TARGET",
    help="folder:DIR, github-pages:REPOSITORY (any address that git pushes to), or hf-space:OWNER/NAME.",
)
@click.option("--answers", is_flag=True, help="Publish it though it shows what is right.")
@click.option("--frames", is_flag=True, help="Publish it though it holds thumbnails of frames, which are gated.")
@click.option("--yes", is_flag=True, help="Publish. Without it, what would be published is said and nothing is sent.")
@replies()
def command(site: Path, where: str, answers: bool, frames: bool, yes: bool) -> Reply[Publication]:
    """Publish a SITE that 'egocross-eval site' wrote, after a look at what is in it.

    \b
    egocross-eval site publish site --to folder:public --yes
    egocross-eval site publish site --to github-pages:git@github.com:OWNER/NAME.git
    """
    from egocross_eval.cli.show.terminal import size_text
    from egocross_eval.errors import UsageError, unknown
    from egocross_eval.leaderboard.site.publish import PLACES, check_place, preview, publish

    place, colon, target = where.partition(":")
    if place not in PLACES:
        raise unknown("place", place, PLACES)
    if not colon or not target:
        raise UsageError(f"--to {where!r} names no place: write {place}:TARGET")
    check_place(site, place, target)
    made = preview(site, answers=answers, frames=frames)
    shown = [
        "what is right" if made.content.answers else "nothing of what is right",
        counted(made.content.frames, "thumbnail") if made.content.frames else "no frames",
    ]
    click.echo(
        f"{made.content.title}: {counted(len(made.files), 'file')}, {size_text(made.bytes)}; "
        f"it shows {' and '.join(shown)}"
    )
    there = publish(site, made, place, target) if yes else ""
    told = f"published: {there}" if yes else f"nothing is sent yet; to publish it at {target}: the same line with --yes"
    found = Publication(content=made.content, files=len(made.files), bytes=made.bytes, target=target, published=there)
    return Reply(value=found, show=lambda: click.echo(told))
