"""Plain characters for styled ones: full-width, circled and look-alike letters, HTML entities, invisible signs."""

from __future__ import annotations

import html
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
    "\u2502": "|", "\uff5c": "|",
}  # fmt: skip
_INVISIBLE = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\ufe0e\ufe0f\u202a\u202b\u202c\u202d\u202e")
_REGIONAL_A = 0x1F1E6
_ENTITY = Pattern(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,10});", 0)


def folded(view: View) -> View:
    """The view in plain characters; invisible ones are gone."""
    if "&" in view.text:
        view = view.sub(_ENTITY, lambda match: html.unescape(match[0]))
    if view.text.isascii():
        return view
    plain = ((at, char, _plain(char)) for at, char in enumerate(view.text) if not char.isascii())
    return view.edited((at, at + 1, new) for at, char, new in plain if new != char)


def _plain(char: str) -> str:
    """The plain form of one character: "" for an invisible one."""
    if char in _INVISIBLE:
        return ""
    if char in _FOLD:
        return _FOLD[char]
    if _REGIONAL_A <= ord(char) < _REGIONAL_A + 26:
        return chr(ord("A") + ord(char) - _REGIONAL_A)
    plain = unicodedata.normalize("NFKC", char)
    return plain if plain == char else "".join(_FOLD.get(each, each) for each in plain)
