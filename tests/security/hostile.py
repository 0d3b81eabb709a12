"""What attackers put into files that people exchange."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

ESCAPES = {
    "clears the screen": "\x1b[2J\x1b[H",
    "sets the title": "\x1b]0;pwned\x07",
    "fills the clipboard": "\x1b]52;c;ZWNobyBwd25lZA==\x1b\\",
    "fills the clipboard, by other ends": "\x1b]52;c;ZWNobyBwd25lZA==\x9c",
    "names a file as a link": "\x1b]8;;file:///etc/passwd\x1b\\here\x1b]8;;\x1b\\",
    "asks for the terminal's answer": '\x1b[c\x1b[6n\x1bP$q"p\x1b\\',
    "is of one byte": "\x9b2J\x9d0;pwned\x9c\x90q\x9c",
    "hides text": "\x1b[8mhidden\x1b[28m",
    "overwrites the line": "wrong\rright",
    "goes back": "wrong\x08\x08\x08\x08\x08right",
    "rings": "\x07" * 9,
    "changes the letters": "\x0e\x1b(0",
    "turns letters round": "\u202egnp.exe\u2066\u2067\u2069\u200f\u061c",
    "ends lines": "a\u2028b\u2029c\x85d\x0be\x0cf",
}
"""Sequences that a terminal or a reader obeys, by what they do."""

EVERYTHING = "".join(ESCAPES.values())
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def rewrite(path: Path, change: Callable[[Any], object]) -> None:
    """Changes a JSON file, or each line of a JSON lines file."""
    lines = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
    content = [json.loads(line) for line in lines]
    for one in content:
        change(one)
    path.write_text("".join(json.dumps(one) + "\n" for one in content))
