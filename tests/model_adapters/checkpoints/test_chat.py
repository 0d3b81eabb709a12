"""What stands where in a conversation, and which tokens mean a letter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hf_requests import make_request

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.chat import (
    THINKING_TOKENS,
    check_thinking,
    conversation,
    refuse_open_thinking,
    render,
)
from egocross_eval.model_adapters.checkpoints.label_tokens import LabelError, label_tokens
from egocross_eval.settings import GenerationSettings


class WordTokenizer:
    """Tokens are the pieces of a fixed vocabulary, longest first, else single characters."""

    def __init__(self, *pieces: str) -> None:
        self.pieces = sorted(pieces, key=len, reverse=True)
        self.ids: dict[str, int] = {}

    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, Any]:
        assert not add_special_tokens
        ids = []
        while text:
            piece = next((piece for piece in self.pieces if text.startswith(piece)), text[0])
            ids.append(self.ids.setdefault(piece, len(self.ids)))
            text = text[len(piece) :]
        return {"input_ids": ids}


def test_frames_and_text_keep_their_places() -> None:
    frames = [Path("a.jpg"), Path("b.jpg")]
    system, user = conversation(make_request("q", frames, system="Be brief.").prompt)
    assert system == {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    assert [part["type"] for part in user["content"]] == ["image", "image", "text"]
    (user,) = conversation(make_request("q", frames, media="video").prompt)
    assert [part["type"] for part in user["content"]] == ["video", "text"]


@pytest.mark.slow
def test_a_template_without_a_place_for_videos_is_refused(tiny_checkpoint: Path) -> None:
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(tiny_checkpoint)
    shown = {media: make_request("q", [Path("a.jpg")], media=media).prompt for media in ("images", "video")}
    assert processor.video_token in render(processor, shown["video"])
    processor.chat_template = "{{ messages[0]['content'][-1]['text'] }}"
    render(processor, shown["images"])
    with pytest.raises(UsageError, match=r"no place for a video \(<\|video_pad\|>\); use --media images"):
        render(processor, shown["video"])


def test_both_forms_of_a_letter_count_where_each_is_one_token() -> None:
    tokenizer = WordTokenizer(" A", " B")
    tokens = label_tokens(tokenizer, "USER: Which?\nASSISTANT:", "AB")
    assert tokens == {"A": (tokenizer.ids["A"], tokenizer.ids[" A"]), "B": (tokenizer.ids["B"], tokenizer.ids[" B"])}


def test_a_form_of_several_tokens_does_not_count() -> None:
    tokenizer = WordTokenizer()
    assert label_tokens(tokenizer, "assistant\n", "A") == {"A": (tokenizer.ids["A"],)}


def test_a_form_that_melts_into_the_prompt_does_not_count() -> None:
    tokenizer = WordTokenizer(":A", " A")
    assert label_tokens(tokenizer, "ASSISTANT:", "A") == {"A": (tokenizer.ids[" A"],)}
    with pytest.raises(LabelError, match="no single token for the label 'A'"):
        label_tokens(WordTokenizer(":A"), "ASSISTANT:", "A")


@pytest.mark.parametrize("end", ["<think>", "<think>\n", "<thinking>\n\n"])
def test_choosing_is_refused_where_the_template_opens_the_thinking(end: str) -> None:
    with pytest.raises(UsageError, match="--answer generate"):
        refuse_open_thinking(f"<|im_start|>assistant\n{end}")


def test_a_closed_thinking_block_is_fine() -> None:
    refuse_open_thinking("<|im_start|>assistant\n<think>\n\n</think>\n\n")


def test_thinking_needs_a_limit_that_was_meant_for_it() -> None:
    opened = "<|im_start|>assistant\n<think>\n"
    with pytest.raises(UsageError, match=rf"opens a thinking block \(<think>\).*--max-new-tokens {THINKING_TOKENS}"):
        check_thinking(opened, GenerationSettings())
    check_thinking(opened, GenerationSettings(max_new_tokens=THINKING_TOKENS))
    check_thinking(opened, GenerationSettings(max_new_tokens=512))
    check_thinking("<think>\n\n</think>\n\n", GenerationSettings())
    with pytest.raises(UsageError, match="no label"):
        check_thinking(opened, GenerationSettings(answer_mode="choose", max_new_tokens=THINKING_TOKENS))
