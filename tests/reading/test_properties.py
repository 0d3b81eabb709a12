"""Properties that hold for every text."""

import functools
import json
import string

from hypothesis import given, settings
from hypothesis import strategies as st

from egocross_eval.reading import REASONS, RULES, Extraction, extract
from egocross_eval.reading.cases import Case, cases

OPTIONS = {"A": "4", "B": "the red cup", "C": "not moving left", "D": "Point A", "E": "4"}
CASES = cases()

_pieces = st.sampled_from(
    [
        "A", "b", "(C)", "**D**", "Z", "E.", "the answer is ", "The answer is not ", "not ", " or ", " and ", ", ",
        ". ",
        "\n", "\n\n", "so ", "wait, ", "I choose ", "is correct", " is wrong", "Option ", "4", "the red cup", "Point A",
        "moving left", '{"answer": "', '"}', "{", "}", '"', "'", "<answer>", "</answer>", "<think>", "</think>",
        r"\boxed{", "$", "```json\n", "```", "答案是", "不是", "选", "。", "（", "）", "Ｂ", "&lt;", "&amp;",
        "<|im_end|>",
        "<|channel|>final<|message|>", "[", "]", "|", "~~", "I cannot determine", "none of the above",
        "Error code: 429", "Question:", "USER:", "ASSISTANT:", "\u200b", "?", "!", ":",
    ]
)  # fmt: skip
_hostile = st.lists(_pieces, max_size=40).map("".join)
_texts = st.one_of(st.text(max_size=300), _hostile, st.sampled_from([case.output for case in CASES]))
_letters = st.integers(2, 10).map(lambda count: string.ascii_uppercase[:count])


def _is_consistent(found: Extraction, output: str, letters: str) -> bool:
    if found.letter is None:
        return found.reason in REASONS and found.rule is None and found.span is None
    assert found.span is not None
    start, end = found.span
    return found.letter in letters and found.rule in RULES and 0 <= start < end <= len(output)


@given(output=_texts, letters=_letters)
@settings(max_examples=400, deadline=None)
def test_any_text_gives_a_valid_letter_with_a_span_or_a_reason(output: str, letters: str) -> None:
    options = {letter: text for letter, text in OPTIONS.items() if letter in letters}
    assert _is_consistent(extract(output, options, letters), output, letters)


@given(output=st.text(max_size=200), texts=st.lists(st.text(max_size=40), min_size=2, max_size=6))
@settings(max_examples=200, deadline=None)
def test_any_option_texts_are_taken(output: str, texts: list[str]) -> None:
    options = dict(zip(string.ascii_uppercase, texts, strict=False))
    letters = "".join(options)
    assert _is_consistent(extract(output, options), output, letters)
    assert _is_consistent(extract(" ".join(texts), options), " ".join(texts), letters)


@functools.cache
def plain_cases() -> list[Case]:
    """Cases without thinking or channel marks of their own."""
    return [
        case
        for case in CASES
        if not any(mark in case.output.lower() for mark in ("think", "analysis", "<|"))
        and extract(case.output, case.options, case.letters).reason not in ("empty", "error_text")
    ]


@given(
    case=st.deferred(lambda: st.sampled_from(plain_cases())),
    thought=_hostile.filter(lambda text: "<" not in text and "[" not in text),
)
@settings(max_examples=150, deadline=None)
def test_thinking_in_front_changes_nothing(case: Case, thought: str) -> None:
    lead = f"<think>{thought}</think>\n"
    plain = extract(case.output, case.options, case.letters)
    found = extract(lead + case.output, case.options, case.letters)
    assert found.letter == plain.letter
    if plain.span is not None:
        assert found.span == (plain.span[0] + len(lead), plain.span[1] + len(lead))


@given(letter=st.sampled_from("ABCDE"), blanks=st.text(" \n\t\u200b", max_size=10))
def test_a_letter_in_blanks_is_that_letter(letter: str, blanks: str) -> None:
    assert extract(blanks + letter + blanks, OPTIONS).letter == letter


@given(letter=st.sampled_from("ABCD"), reason=st.text(max_size=80))
@settings(deadline=None)
def test_a_json_field_is_read_whatever_the_reason_says(letter: str, reason: str) -> None:
    options = {"A": "scalpel", "B": "forceps", "C": "grasper", "D": "scissors"}
    for fields in ({"prediction": letter, "reason": reason}, {"reason": reason, "prediction": letter}):
        assert extract(json.dumps(fields), options).letter == letter
        assert extract(json.dumps(fields, ensure_ascii=False), options).letter == letter


_chosen = st.sampled_from(
    ["It's {a}", "The answer is {a}", "{a}", "({a})", "Option {a}", "I'd go with {a}", "Surely {a}"]
)
_joins = st.sampled_from([", ", " - ", ". ", "; ", ": ", " because ", ", and ", ".\n", "\n\n", "! "])
_rejected = st.sampled_from(
    [
        "{b} is wrong", "{b} and {c} are wrong", "it can't be {b}", "it is not {b}", "not {b}", "{b} does not fit",
        "neither {b} nor {c}", "{b} is incorrect and so is {c}", "nothing supports {b}", "I rule out {b}",
        "rather than {b}", "{b} makes no sense", "{b}, {c} are out",
    ]
)  # fmt: skip


@given(chosen=_chosen, join=_joins, rejected=_rejected, letters=st.permutations("ABCD"), end=st.sampled_from(["", "."]))
def test_an_option_that_is_ruled_out_is_never_the_answer(
    chosen: str, join: str, rejected: str, letters: list[str], end: str
) -> None:
    a, b, c, _ = letters
    output = chosen.format(a=a) + join + rejected.format(b=b, c=c) + end
    assert extract(output, {letter: text for letter, text in OPTIONS.items() if letter in "ABCD"}).letter in (a, None)


_labelled = st.lists(st.sampled_from("ABCD"), min_size=2, max_size=4, unique=True).map(sorted)


@given(
    letters=_labelled, texts=st.permutations(["scalpel", "forceps", "bright", "12.5 s"]), mark=st.sampled_from(":.)")
)
def test_a_list_that_labels_several_options_is_no_answer(letters: list[str], texts: list[str], mark: str) -> None:
    output = "\n".join(f"{letter}{mark} {text}" for letter, text in zip(letters, texts, strict=False))
    options = {"A": "scalpel", "B": "forceps", "C": "grasper", "D": "scissors"}
    assert extract(output, options).letter is None
