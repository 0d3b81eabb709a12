"""Frames in the terminal and on a contact sheet, with the bytes that would be sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.frames.pictures import FrameError
from egocross_eval.schema import Frame, Prompt

if TYPE_CHECKING:
    from PIL.Image import Image

COLUMNS = 4
THUMBNAIL = (240, 180)
"""Pixels of a frame on the contact sheet."""

CELL_WIDTH = 36
"""Characters of a frame in the terminal; a character shows two pixels, one above the other."""


def _opened(path: str, max_pixels: int | None) -> tuple[Image, int]:
    """The picture as it would be sent, and its size in bytes."""
    from egocross_eval.frames.pictures import as_rgb, opened_picture
    from egocross_eval.frames.store import scaled_frame

    data, _ = scaled_frame(path, max_pixels)
    with opened_picture(data, path) as image:
        return as_rgb(image), len(data)


def _time(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds:.2f} s"


class SentFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A frame as it would be sent."""

    name: str
    time: float | None
    """Seconds from the beginning of the clip's video; None where they aren't known."""
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    """None, as width and height are, where it can't be sent."""
    fault: str = ""
    """Why not."""


def sent_frames(prompt: Prompt) -> tuple[SentFrame, ...]:
    """Every frame of a prompt, in the order in which they're shown."""
    return tuple(
        _sent(frame, path, prompt.max_pixels) for frame, path in zip(prompt.frames(), prompt.frame_paths(), strict=True)
    )


def _sent(frame: Frame, path: str, max_pixels: int | None) -> SentFrame:
    try:
        picture, size = _opened(path, max_pixels)
    except FrameError as error:
        return SentFrame(name=frame.name, time=frame.time, fault=str(error))
    return SentFrame(name=frame.name, time=frame.time, width=picture.width, height=picture.height, bytes=size)


def frame_table(frames: Sequence[SentFrame]) -> str:
    """One line per frame: number, time, size as sent, bytes as sent, name. Raises `FrameError` for a frame that can't
    be sent."""
    from posixpath import commonpath, relpath

    from egocross_eval.cli.show.terminal import fitted_table, wrapped

    rows = []
    for number, frame in enumerate(frames, 1):
        if frame.fault:
            raise FrameError(frame.fault)
        rows.append([str(number), _time(frame.time), f"{frame.width}x{frame.height}", f"{frame.bytes:,}", frame.name])
    if not rows:
        return "no frames are sent"
    folder = commonpath([row[-1].rpartition("/")[0] for row in rows])
    for row in rows:
        row[-1] = relpath(row[-1], folder) if folder else row[-1]
    table = fitted_table(rows, ["frame", "time", "pixels", "bytes", "name"], wrap=-1, right="rrrr")
    return f"{wrapped(f'frames in {folder}:')}\n{table}" if folder else table


def draw_frames(prompt: Prompt) -> None:
    """Draws the frames in the terminal, a few side by side, with their times."""
    from rich.columns import Columns
    from rich.console import Group
    from rich.text import Text

    from egocross_eval.visible import rich_console

    console = rich_console()
    cells = []
    for frame, path in zip(prompt.frames(), prompt.frame_paths(), strict=True):
        picture, _ = _opened(path, prompt.max_pixels)
        width = min(CELL_WIDTH, console.width)
        height = max(2, round(width * picture.height / picture.width / 2) * 2)
        small = picture.resize((width, height))
        lines = Text()
        for y in range(0, height, 2):
            for x in range(width):
                top, bottom = small.getpixel((x, y)), small.getpixel((x, y + 1))
                lines.append("▀", style=f"rgb{_triple(top)} on rgb{_triple(bottom)}")
            lines.append("\n")
        cells.append(Group(lines, Text(_time(frame.time))))
    console.print(Columns(cells))


def _triple(pixel: object) -> str:
    if not isinstance(pixel, tuple):
        raise TypeError(f"an RGB pixel is a tuple, not {pixel!r}")
    return "({},{},{})".format(*pixel)


def contact_sheet(prompt: Prompt, path: Path) -> None:
    """Writes all frames with number and time to one picture file."""
    from PIL import Image, ImageDraw

    frames = list(zip(prompt.frames(), prompt.frame_paths(), strict=True))
    rows = max(1, -(-len(frames) // COLUMNS))
    width, height = THUMBNAIL
    sheet = Image.new("RGB", (COLUMNS * width, rows * (height + 20)), "white")
    pen = ImageDraw.Draw(sheet)
    for index, (frame, name) in enumerate(frames):
        picture, _ = _opened(name, prompt.max_pixels)
        picture.thumbnail((width - 8, height - 8))
        x, y = index % COLUMNS * width, index // COLUMNS * (height + 20)
        sheet.paste(picture, (x + 4, y + 4))
        pen.text((x + 6, y + height), f"{index + 1}: {_time(frame.time)}", fill="black")
    sheet.save(path)
