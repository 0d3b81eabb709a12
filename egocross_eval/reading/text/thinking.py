"""Find the final part of an output: what is left without its thinking."""

from __future__ import annotations

import re

import msgspec

from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.text.offsets import View
from egocross_eval.reading.text.special_tokens import SPECIAL

_NAMES = r"think(?:ing)?|thoughts?|reason(?:ing)?|reasoning_content|analysis|reflection|scratchpad|seed:think|rationale"
_TOKEN = Pattern(
    rf"(?P<open><\s*(?:{_NAMES})\b[^<>\n]{{0,40}}>|<\s*think\s*(?=\n)|◁think▷|\[THINK\]|<\|(?:begin_of_)?(?:thought|think|thinking)\|>"
    r"|<\|channel>thought\b|<unused94>(?:thought)?)"
    rf"|(?P<close><\s*/\s*(?:{_NAMES})\s*>|◁/think▷|\[/THINK\]|<\|(?:end_of_|/)(?:thought|think|thinking)\|>|<channel\|>|<unused95>)",
)
_CHANNEL = Pattern(r"<\|channel\|>\s*(\w+)[^<]{0,80}<\|message\|>", 0)
_CHANNEL_END = Pattern(r"<\|(?:end|return|call|start)\|>", 0)
_BARE_CHANNEL = Pattern(r"assistant\s?final(?=\W|[A-Z])", 0)
_FENCED = Pattern(r"\s*(?:```\w{0,10}\s*)?(\{.*\})\s*(?:```)?\s*", re.DOTALL)
_LONE_END_TAG = Pattern(
    r"<\s*(?:answer|final_answer|ans)\s*>[^<>]{1,400}<\s*/\s*(?:answer|final_answer|ans)\s*>\s*(?:<[^<>]{1,30}>\s*)*\Z",
)


def without_marks(text: str) -> str:
    """An output with its thinking as plain text: what marks thinking and special tokens are left out."""
    return SPECIAL.sub("", _TOKEN.sub("", text)).strip()


def final_part(view: View) -> View | None:
    """The text after and around the thinking; None when the output ends inside its thinking.

    A closing mark without an opening one ends thinking that the chat template opened. An explicit answer tag that ends
    the thinking counts as the final part when nothing else does. A mark inside a JSON string is text.
    """
    channels = list(_CHANNEL.finditer(view.text))
    if channels:
        final = next((channel for channel in channels if channel[1].lower() == "final"), None)
        if final is None:
            return None
        stop = _CHANNEL_END.search(view.text, final.end())
        return view.slice(final.end(), stop.start() if stop else None)
    if view.text.startswith("analysis") and (bare := list(_BARE_CHANNEL.finditer(view.text))):
        return view.slice(bare[-1].end())
    outside = view if _is_json(view.text) else _outside_tags(view)
    if outside is not None and (_says_something(outside.text) or not view.text.strip()):
        return outside
    tag = _LONE_END_TAG.search(SPECIAL.sub(lambda match: " " * len(match[0]), view.text)[-600:])
    return view.slice(max(0, len(view.text) - 600) + tag.start()) if tag else outside


def _is_json(text: str) -> bool:
    fenced = _FENCED.fullmatch(text)
    if fenced is None:
        return False
    try:
        return isinstance(msgspec.json.decode(fenced[1].encode("utf-8", "surrogatepass")), dict)
    except (msgspec.DecodeError, RecursionError):
        return False


def _outside_tags(view: View) -> View | None:
    """What stands outside the thinking tags; None when that is nothing and the thinking was never closed."""
    hidden: list[tuple[int, int]] = []
    begin: int | None = None
    for token in _TOKEN.finditer(view.text):
        if token["open"]:
            begin = token.start() if begin is None else begin
        elif begin is None:
            hidden = [(0, token.end())]
        else:
            hidden.append((begin, token.end()))
            begin = None
            if len(hidden) == 1 and _is_json(view.text[token.end() :]):
                break
    if begin is None:
        return view.blank(hidden) if hidden else view
    outside = view.blank([*hidden, (begin, len(view.text))])
    return outside if _says_something(outside.text) else None


def _says_something(text: str) -> bool:
    return bool(SPECIAL.sub("", text).strip())
