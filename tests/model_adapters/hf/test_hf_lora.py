"""A PEFT adapter is merged into the weights it was made for, and refused by others."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import checkpoints
import pytest
from hf_requests import adapter, answers, mixed_requests, scores_of

from egocross_eval.errors import UsageError

pytestmark = pytest.mark.slow


ATTENTION = ("q_proj", "v_proj")


def save_lora(folder: Path, checkpoint: Path, targets: Sequence[str] = ATTENTION, **more: Any) -> Any:
    """A LoRA adapter with random weights on parts of the text model, as PEFT saves it; returns the adapted model."""
    pytest.importorskip("peft")
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText

    torch.manual_seed(0)
    base = AutoModelForImageTextToText.from_pretrained(checkpoint)
    config = LoraConfig(r=4, lora_alpha=16, target_modules=list(targets), init_lora_weights=False, **more)
    model = get_peft_model(base, config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.requires_grad and ("modules_to_save" in name or "token_adapter" in name):
                weight.add_(0.05 * torch.randn_like(weight))
    model.save_pretrained(folder)
    return model.eval()


WORDS: dict[str, dict[str, Any]] = {
    "none": {},
    "scores": {"targets": ("q_proj", "lm_head")},
    "embeddings": {"targets": ("q_proj", "embed_tokens")},
    "whole scores": {"modules_to_save": ["lm_head"]},
    "both alike": {"modules_to_save": ["embed_tokens"], "ensure_weight_tying": True},
    "single words": {"trainable_token_indices": list(range(32, 40))},
    "single scores": {"trainable_token_indices": {"lm_head": list(range(32, 40))}},
}


@pytest.mark.parametrize("how", WORDS)
def test_answers_are_those_of_the_adapted_model(vivid_checkpoint: Path, tmp_path: Path, how: str) -> None:
    """Also where the embeddings of words are their scores as well, and the adapter changes one of the two."""
    import torch
    from hf_plain import plain_inputs
    from transformers import AutoProcessor

    adapted = save_lora(tmp_path / "lora", vivid_checkpoint, **WORDS[how])
    processor = AutoProcessor.from_pretrained(vivid_checkpoint)
    requests = mixed_requests(tmp_path, max_pixels=None)
    base = answers(vivid_checkpoint, requests)
    got = answers(vivid_checkpoint, requests, lora=str(tmp_path / "lora"))
    forms = {letter: [letter, f"Ġ{letter}"] for letter in "ABCD"}
    vocabulary = processor.tokenizer.get_vocab()
    for request in requests:
        with torch.inference_mode():
            row = torch.log_softmax(adapted(**plain_inputs(processor, request)).logits[0, -1].float(), dim=-1)
        expected = {
            letter: float(torch.logsumexp(row[[vocabulary[form] for form in names if form in vocabulary]], dim=0))
            for letter, names in forms.items()
        }
        assert scores_of(got[request.key]) == pytest.approx(expected, abs=1e-3)
        assert scores_of(got[request.key]) != pytest.approx(scores_of(base[request.key]), abs=0.01)


def test_an_adapter_of_another_base_is_refused(vivid_checkpoint: Path, tmp_path: Path) -> None:
    from egocross_eval.model_adapters.checkpoints.tiny import TinyShape, build_tiny

    other = tmp_path / "other"
    build_tiny(other, shape=TinyShape(width=64, layers=4))
    save_lora(tmp_path / "lora", other)
    with pytest.raises(UsageError, match="was it trained for another base"):
        answers(vivid_checkpoint, mixed_requests(tmp_path), lora=str(tmp_path / "lora"))


def test_an_adapter_whose_config_names_other_modules_is_refused(tmp_path: Path) -> None:
    checkpoint = checkpoints.tiny_checkpoint()
    save_lora(tmp_path / "lora", checkpoint)
    config = tmp_path / "lora" / "adapter_config.json"
    config.write_text(config.read_text().replace("q_proj", "query_key_value").replace("v_proj", "dense_4h"))
    with pytest.raises(UsageError, match="not among its target_modules"):
        answers(checkpoint, mixed_requests(tmp_path), lora=str(tmp_path / "lora"))


def test_details_and_fingerprint_name_the_adapter(vivid_checkpoint: Path, tmp_path: Path) -> None:
    save_lora(tmp_path / "lora", vivid_checkpoint)
    plain, adapted = adapter(vivid_checkpoint), adapter(vivid_checkpoint, lora=str(tmp_path / "lora"))
    assert adapted.fingerprint() != plain.fingerprint()
    assert adapted.details()["lora"] == str(tmp_path / "lora")


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_an_adapter_whose_base_is_taken_apart_by_chance_is_refused(tmp_path: Path) -> None:
    """PEFT would give its base other weights at each loading."""
    checkpoint = checkpoints.tiny_checkpoint()
    save_lora(tmp_path / "lora", checkpoint)
    change_config(tmp_path / "lora", init_lora_weights="pissa_niter_4")
    with pytest.raises(UsageError, match=r"by chance.*path_initial_model_for_weight_conversion"):
        adapter(checkpoint, lora=str(tmp_path / "lora"))


def test_an_adapter_that_can_not_be_merged_is_no_traceback(tmp_path: Path) -> None:
    checkpoint = checkpoints.tiny_checkpoint()
    save_lora(tmp_path / "lora", checkpoint, lora_bias=True)
    with pytest.raises(UsageError, match=r"can't be merged into .*lora_bias"):
        answers(checkpoint, mixed_requests(tmp_path), lora=str(tmp_path / "lora"))
