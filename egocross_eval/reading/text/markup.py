"""Take the layout off a text: Markdown emphasis, LaTeX wrappers, HTML tags. Words, letters and numbers stay."""

from __future__ import annotations

import re

from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.text.offsets import View

_STRUCK = Pattern(r"~~[^~\n]{1,300}~~|<(del|s|strike)>[^<>]{1,300}</\1>")
_OPEN_BOX = Pattern("☐", 0)
_TICKED_BOX = Pattern("[☑☒✅✔]\ufe0f?", 0)
_COMMENT = Pattern(r"<!--[^<>]{0,500}-->", 0)
_BREAK_TAG = Pattern(r"</?(?:br|p|div|li|ul|ol|tr|td|h\d|hr|body|center)\b[^<>]{0,80}>")
_INLINE_TAG = Pattern(
    r"</?(?:strong|em|span|font|code|mark|sup|sub|small|big|ins|tt|kbd)\b[^<>]{0,200}>|<([biua])(?:\s[^<>\n]{0,200})?>(?=[^\n]{0,300}</\1>)|</[biua]>",
)
_FRACTION = Pattern(r"\\[dtc]?frac\s{0,3}\{([^{}]{1,60})\}\s{0,3}\{([^{}]{1,60})\}", 0)
_WRAPPER = Pattern(
    r"\\(?:text|textbf|textit|textrm|textsf|texttt|mathrm|mathbf|mathit|mathsf|mathbb|mathcal|bf|rm|it|bold|boldsymbol|operatorname|emph|underline|"
    r"left|right|displaystyle|large|Large|mbox|hbox|quad|qquad|bm|textnormal|overline)(?![A-Za-z])\s{0,3}",
    0,
)
_SYMBOLS = {
    "rightarrow": "→", "Rightarrow": "→", "longrightarrow": "→", "to": "→", "implies": "→", "therefore": "∴",
    "circ": "°", "degree": "°", "pi": "π", "times": "×", "cdot": "×", "pm": "±", "sqrt": "√", "checkmark": "✓",
    "leq": "≤", "geq": "≥", "le": "≤", "ge": "≥", "div": "÷", "infty": "∞",
}  # fmt: skip
_SYMBOL = Pattern(r"\\([A-Za-z]+)(?![A-Za-z])", 0)
_SPACING = Pattern(r"\\[,;:! ]|\\\\|\\~", 0)
_ESCAPE = Pattern(r"\\(?=[()\[\]{}%$#&_*.])", 0)
_PRODUCT = Pattern(r"(?<=\d)\s?\*\s?(?=\d)", 0)
_EMPHASIS = Pattern(
    r"[*`$]+|__+|(?<![A-Za-z0-9])_(?=[A-Za-z(])|(?<=[A-Za-z).])_(?![A-Za-z0-9])|\^(?=\s?°|\s?\{\s?°)", 0
)
_LINE_MARK = Pattern(r"^[ \t]{0,8}(?:#{1,6}(?=[ \t*(\[A-Za-z])|>+|[•●▪◦■◆‣·])[ \t]*", re.MULTILINE)
_RULE_LINE = Pattern(r"^[ \t]*(?:-{3,}|={3,}|_{3,}|\*{3,})[ \t]*$", re.MULTILINE)
_DEGREES = Pattern(r"(?<=\d)\s?(?:degrees?|deg)\b(?! (?:celsius|fahrenheit|c\b|f\b))")
_ARROW = Pattern(r"[-=]{1,2}>", 0)
_BRACES = Pattern(r"[{}]", 0)
_PLURAL = Pattern(r"(?<=[a-z])\(s\)", 0)


def cleaned(view: View) -> View:
    """The view without layout marks; struck-out text is gone, line structure stays."""
    text = view.text
    if "☐" in text:  # the marks beside open boxes are ticks of what stands behind them
        view = view.sub(_OPEN_BOX, "[ ]").sub(_TICKED_BOX, "[x]")
    if "~~" in text or "<" in text:
        view = view.sub(_COMMENT, "").sub(_STRUCK, " ").sub(_BREAK_TAG, "\n").sub(_INLINE_TAG, "")
    if "\\" in text:
        view = view.sub(_FRACTION, lambda match: f"{match[1]}/{match[2]}").sub(_WRAPPER, "").sub(_SPACING, " ")
        view = view.sub(_SYMBOL, lambda match: _SYMBOLS.get(match[1], match[0])).sub(_ESCAPE, "")
    if "*" in text:
        view = view.sub(_RULE_LINE, "").sub(_PRODUCT, "×")
    view = view.sub(_EMPHASIS, "").sub(_LINE_MARK, "").sub(_PLURAL, "")
    view = view.sub(_BRACES, "").sub(_ARROW, "→")
    return view.sub(_DEGREES, "°")
