"""Plain characters for styled ones: full-width, circled and look-alike letters, HTML entities, invisible signs."""

from __future__ import annotations

import html
import re
import unicodedata

from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.text.offsets import View

# Characters that NFKC leaves alone but that people write for a Latin letter or an ASCII sign.
_FOLD = {
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2032": "'", "\u00b4": "'",
    "\u3010": "[", "\u3011": "]", "\u3014": "[", "\u3015": "]", "\u300c": '"', "\u300d": '"',
    "\u300e": '"', "\u300f": '"', "\u00ab": '"', "\u00bb": '"', "\u300a": '"', "\u300b": '"', "\u2212": "-",
    "\u2011": "-",
    "\u2010": "-", "\u27a1": "\u2192", "\u279c": "\u2192", "\u2794": "\u2192", "\u21d2": "\u2192", "\u27f9": "\u2192",
    "\U0001f170": "A", "\U0001f171": "B", "\u0410": "A", "\u0421": "C", "\u0391": "A", "\u0392": "B",
    "\u9078": "\u9009", "\u9805": "\u9879", "\u78ba": "\u786e", "\u932f": "\u9519", "\u8aa4": "\u8bef",
    "\u5c0d": "\u5bf9", "\u61c9": "\u5e94", "\u8a72": "\u8be5", "\u70ba": "\u4e3a", "\u64c7": "\u62e9",
    "\u500b": "\u4e2a", "\u8207": "\u4e0e", "\u9084": "\u8fd8", "\u7121": "\u65e0", "\u50c5": "\u4ec5",
    "\u2502": "|", "\uff5c": "|", "\x85": "\n", "\x0b": "\n", "\x0c": "\n", "\ufffd": "",
    "\u2581": " ", "\u0120": " ", "\u010a": "\n",  # a tokenizer's marks for a blank and a line end
}  # fmt: skip
_REGIONAL_A = 0x1F1E6
_CONTROL = Pattern(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", 0)
# Colours and other commands to a terminal, also where their first character got lost.
_ESCAPE = Pattern(
    r"\x1b\[[0-?]{0,20}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)?|\x1b.?|\[\d{1,2}(?:;\d{1,3}){0,4}m", 0
)
_BYTE = Pattern(r"<0x([0-9A-F]{2})>", 0)
_WRITTEN_LINE_END = Pattern(r"\\n(?![a-z])", 0)
_ENTITY = Pattern(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,10});", 0)


def folded(view: View) -> View:
    """The view in plain characters; colours of a terminal and invisible characters are gone."""
    if "\x1b" in view.text or "[" in view.text:
        view = view.sub(_ESCAPE, "")
    if "<0x" in view.text:
        view = view.sub(_BYTE, _character)
    if "&" in view.text:
        view = view.sub(_ENTITY, lambda match: html.unescape(match[0]))
    if view.text.isascii() and not _CONTROL.search(view.text):
        return view
    plain = ((at, char, _plain(char)) for at, char in enumerate(view.text) if not " " <= char <= "~")
    return view.edited((at, at + 1, new) for at, char, new in plain if new != char)


def with_line_ends(view: View) -> View:
    """The view with real line ends, where it is one line that writes them as backslash and n."""
    if "\n" in view.text.strip() or "{" in view.text:
        return view
    return view.sub(_WRITTEN_LINE_END, "\n")


def _character(match: re.Match[str]) -> str:
    """The character of a byte that a tokenizer left as it is: <0x0A>."""
    char = chr(int(match[1], 16))
    return char if char.isascii() else ""


def _plain(char: str) -> str:
    """The plain form of one character: "" for an invisible one."""
    if char in _FOLD:
        return _FOLD[char]
    if char in "\n\t\r":
        return char
    if unicodedata.category(char) in ("Cc", "Cf") or "\ufe00" <= char <= "\ufe0f":
        return ""
    if _REGIONAL_A <= ord(char) < _REGIONAL_A + 26:
        return chr(ord("A") + ord(char) - _REGIONAL_A)
    plain = unicodedata.normalize("NFKC", char)
    return plain if plain == char else "".join(_FOLD.get(each, each) for each in plain)
