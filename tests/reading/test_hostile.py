"""Long and hostile outputs cost work in proportion to their length."""

import sys
from types import FrameType

import pytest

from egocross_eval.reading import extract

OPTIONS = {"A": "scalpel", "B": "the red cup on the table", "C": "10 seconds", "D": "none of the above"}
PIECES = [
    "A ", "A. ", "(A) ", "A, ", "A or ", "((A", "A\n", "- A: wrong\n", "a ", "{", '{"a":', '{"answer": "', "[", '"',
    "' ", '"\n', "<answer>", "</answer>", "<think>", "</think>", "<b>", "\\boxed{", "\\frac{1}{2}", "\n", " ",
    "answer ", "not ", "the answer is ", "the answer is A ",
    "the red cup on the ", "the red cup on the table ", "10 ", "1,",
    "first option ", "I choose ", "wait, ", "none of the ", "答案", "选", "**", "~~", "&lt;", "$", "# ", "|", "é",
    "\u200b", "Ａ", "\nQuestion:", "USER: ", "ASSISTANT: ", "B. user\n", "\nassistant\n", "<|im_end|>", "<s>",
    "[INST]", "\x1b[1m", "[1m", "\x1b]", "<0x0A>", "\\n", "Ġ", "A: x\n", "A. B. ", "[[A]]", "\nA. B\n",
    "it's A, B and ", "3 + 1 = ", "C not A, ", "point A ", "it can't be A, ", "答案不是A,", "\n```json\n{", "</think>{",
    "<think>{}</think>", "é A, no B ",
]  # fmt: skip


def _calls(output: str) -> int:
    """How many Python and C functions reading an output calls."""
    count = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    extract(output, OPTIONS)  # compiles what it needs
    sys.setprofile(profile)
    try:
        extract(output, OPTIONS)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("piece", PIECES)
def test_twice_the_text_takes_at_most_about_twice_the_calls(piece: str) -> None:
    short, long = (_calls("The answer is" + piece * (size // len(piece)) + "B") for size in (300, 600))
    assert long <= 2.3 * short + 300


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("piece", PIECES)
def test_a_hundred_kilobytes_are_read(piece: str) -> None:
    # A pattern that backtracks quadratically needs minutes for this length.
    found = extract(piece * (100_000 // len(piece)), OPTIONS)
    assert found.letter is None or found.letter in OPTIONS
