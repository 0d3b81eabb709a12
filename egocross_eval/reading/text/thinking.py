"""Find the final answer of an output: what is left without its thinking, turn marks and special tokens."""

from __future__ import annotations

from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.text.offsets import View

_NAMES = r"think(?:ing)?|thoughts?|reason(?:ing)?|reasoning_content|analysis|reflection|scratchpad|seed:think|rationale"
_TOKEN = Pattern(
    rf"(?P<open><\s*(?:{_NAMES})\b[^<>\n]{{0,40}}>|<\s*think\s*(?=\n)|◁think▷|\[THINK\]|<\|(?:begin_of_)?(?:thought|think|thinking)\|>"
    r"|<\|channel>thought\b|<unused94>(?:thought)?)"
    rf"|(?P<close><\s*/\s*(?:{_NAMES})\s*>|◁/think▷|\[/THINK\]|<\|(?:end_of_|/)(?:thought|think|thinking)\|>|<channel\|>|<unused95>)",
)
_CHANNEL = Pattern(r"<\|channel\|>\s*(\w+)[^<]{0,80}<\|message\|>", 0)
_CHANNEL_END = Pattern(r"<\|(?:end|return|call|start)\|>", 0)
_BARE_CHANNEL = Pattern(r"assistant\s?final(?=\W|[A-Z])", 0)
_SPECIAL = Pattern(
    r"<\|?/?(?:s|eos|bos|pad|unk|eot|eod|eoa|eoe|eoh|eom|sep|cls|mask|endoftext|im_end|im_start|end_of_text|begin_of_text|"
    r"eot_id|end_of_turn|start_of_turn|end_of_sentence|end|start|return|assistant|start_header_id|end_header_id|"
    r"stop|image|video|image_pad|video_pad|vision_start|vision_end|end_of_solution|begin_of_solution|endofchunk)\|?>"
    r"|<[|｜|](?:end|begin)[▁_]of[▁_]sentence[|｜|]>|\[/?INST\]|<</?SYS>>|\[(?:EOS|SEP|PAD|UNK|CLS|BOS)\]|</?image\d*>|\[UNUSED_TOKEN_\d+\]",
)
_LONE_END_TAG = Pattern(
    r"<\s*(?:answer|final_answer|ans)\s*>[^<>]{1,400}<\s*/\s*(?:answer|final_answer|ans)\s*>\s*(?:<[^<>]{1,30}>\s*)*\Z",
)


def final_part(view: View) -> View | None:
    """The text after and around the thinking, special tokens blanked; None when the output ends inside its thinking.

    A closing mark without an opening one ends thinking that the chat template opened. An explicit answer tag that
    ends the thinking counts as the final part when nothing else does.
    """
    channels = list(_CHANNEL.finditer(view.text))
    if channels:
        last = channels[-1]
        if last[1].lower() != "final":
            return None
        stop = _CHANNEL_END.search(view.text, last.end())
        return _without_special(view.slice(last.end(), stop.start() if stop else None))
    if view.text.startswith("analysis") and (bare := list(_BARE_CHANNEL.finditer(view.text))):
        return _without_special(view.slice(bare[-1].end()))
    return _without_special_or_none(_outside_tags(view), view)


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
    if begin is None:
        return view.blank(hidden) if hidden else view
    outside = view.blank([*hidden, (begin, len(view.text))])
    return outside if _SPECIAL.sub("", outside.text).strip() else None


def _without_special_or_none(outside: View | None, whole: View) -> View | None:
    final = None if outside is None else _without_special(outside)
    if final is not None and (final.text.strip() or not whole.text.strip()):
        return final
    tag = _LONE_END_TAG.search(_SPECIAL.sub(lambda match: " " * len(match[0]), whole.text)[-600:])
    if tag:
        return whole.slice(max(0, len(whole.text) - 600) + tag.start())
    return final


def _without_special(view: View) -> View:
    return view.sub(_SPECIAL, "\n")
