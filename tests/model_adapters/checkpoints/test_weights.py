"""Checkpoints and adapters whose weights don't all find their place are refused, by every engine, naming tensors and
cause."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hf_requests import adapter, answers, make_request

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.model_adapters.checkpoints.lora import read_lora
from egocross_eval.model_adapters.checkpoints.lora_weights import check_lora, check_mergeable
from egocross_eval.model_adapters.checkpoints.weights import check_folder, folder_faults, name_faults

Change = Callable[[str], str | None]

RENAMED: dict[str, tuple[Change, str]] = {
    "flat": (lambda k: k.replace("model.language_model.", "model."), "another release of transformers"),
    "one missing": (lambda k: None if k.endswith("layers.0.mlp.down_proj.weight") else k, "not everything was saved"),
    "no vision": (lambda k: None if ".visual." in k else k, "not everything was saved"),
    "ddp": (lambda k: f"module.{k}", "DDP"),
    "compiled": (lambda k: f"_orig_mod.{k}", "compiled"),
    "peft": (lambda k: f"base_model.model.{k}", "PEFT"),
}


def rewritten(source: Path, target: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """A copy of a checkpoint or adapter with other tensors."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(source, target)
    (path,) = target.glob("*.safetensors")
    save_file({k: v.contiguous() for k, v in change(load_file(path)).items()}, path, metadata={"format": "pt"})
    return target


def refusal(checkpoint: Path, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        answers(checkpoint, [make_request("q", [])], **options)
    return str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("how", list(RENAMED))
def test_names_that_the_architecture_does_not_have_are_refused_with_the_likely_cause(
    tiny_checkpoint: Path, tmp_path: Path, how: str
) -> None:
    change, cause = RENAMED[how]
    broken = rewritten(
        tiny_checkpoint, tmp_path / "c", lambda w: {new: v for k, v in w.items() if (new := change(k)) is not None}
    )
    for said in (refusal(broken), "; ".join(folder_faults(Checkpoint(str(broken))))):
        assert "missing (" in said
        assert cause in said
    assert "Qwen3VLForConditionalGeneration" in refusal(broken)


@pytest.mark.slow
def test_a_whole_checkpoint_has_no_faults_nor_has_one_with_its_tied_head_written_out(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    assert folder_faults(Checkpoint(str(tiny_checkpoint))) == []
    embedding = "model.language_model.embed_tokens.weight"
    tied = rewritten(tiny_checkpoint, tmp_path / "c", lambda w: {**w, "lm_head.weight": w[embedding].clone()})
    assert folder_faults(Checkpoint(str(tied))) == []
    assert answers(tied, [make_request("q", [])])["q"].failure is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "said"),
    [("nan", r"1 with NaN or infinite values (model.language_model.norm.weight, float32)"), ("inf", "with NaN or inf")],
)
def test_values_that_are_no_numbers_are_refused(tiny_checkpoint: Path, tmp_path: Path, value: str, said: str) -> None:
    def spoil(weights: dict[str, Any]) -> dict[str, Any]:
        weights["model.language_model.norm.weight"][3] = float(value)
        return weights

    broken = rewritten(tiny_checkpoint, tmp_path / "c", spoil)
    assert said in refusal(broken)
    with pytest.raises(UsageError, match="NaN"):
        check_folder(Checkpoint(str(broken)))


@pytest.mark.slow
def test_tensors_of_another_shape_or_of_size_0_are_refused(tiny_checkpoint: Path, tmp_path: Path) -> None:
    name = "model.language_model.norm.weight"
    short = rewritten(tiny_checkpoint, tmp_path / "short", lambda w: {**w, name: w[name][:-1]})
    assert f"1 of another shape ({name}" in refusal(short)
    empty = rewritten(tiny_checkpoint, tmp_path / "empty", lambda w: {**w, name: w[name][:0]})
    assert name in refusal(empty)
    assert folder_faults(Checkpoint(str(empty)))


def test_nothing_is_said_of_what_cannot_be_told() -> None:
    assert folder_faults(Checkpoint("some/model")) == []
    assert name_faults({"missing_keys": set(), "unexpected_keys": set(), "mismatched_keys": set()}) == []


@pytest.fixture(scope="module")
def lora(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter for two of the attention's matrices."""
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForImageTextToText

    model = AutoModelForImageTextToText.from_pretrained(tiny_checkpoint)
    config = peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"])
    folder = tmp_path_factory.mktemp("lora") / "good"
    peft.get_peft_model(model, config).save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("targets", [["q_proj"], r".*\.q_proj"])
def test_an_adapter_with_weights_that_its_config_leaves_out_is_refused_before_anything_is_loaded(
    tiny_checkpoint: Path, lora: Path, tmp_path: Path, targets: Any
) -> None:
    broken = tmp_path / "lora"
    shutil.copytree(lora, broken)
    config = json.loads((broken / "adapter_config.json").read_text())
    (broken / "adapter_config.json").write_text(json.dumps({**config, "target_modules": targets}))
    with pytest.raises(UsageError, match=r"not among its target_modules, e\.g\. .*v_proj"):
        adapter(tiny_checkpoint, lora=str(broken))


@pytest.mark.slow
def test_an_adapter_for_more_layers_than_the_base_has_is_refused(
    tiny_checkpoint: Path, lora: Path, tmp_path: Path
) -> None:
    def more(weights: dict[str, Any]) -> dict[str, Any]:
        return weights | {k.replace("layers.0.", "layers.77."): v.clone() for k, v in weights.items()}

    said = refusal(tiny_checkpoint, lora=str(rewritten(lora, tmp_path / "lora", more)))
    assert "part of its weights has no place there, e.g. " in said
    assert "layers.77." in said
    assert answers(tiny_checkpoint, [make_request("q", [])], lora=str(lora))["q"].failure is None


LoraChange = Callable[[str, Any], tuple[str, Any]]

UNFIT: dict[str, tuple[LoraChange, str]] = {
    "another layer": (lambda k, v: (k.replace("layers.0.", "layers.77."), v), "have no place there (model.language"),
    "another kind of layer": (lambda k, v: (k.replace("v_proj", "value"), v), "have no place there (model.language"),
    "wider": (lambda k, v: (k, v.repeat(2, 1) if "lora_B" in k else v), "are of another shape (model.language"),
    "not finite": (lambda k, v: (k, v * float("nan") if "lora_A" in k else v), "with NaN or infinite values (base_m"),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", list(UNFIT))
def test_an_adapter_that_does_not_fit_is_refused_without_loading_the_model(
    tiny_checkpoint: Path, lora: Path, tmp_path: Path, how: str
) -> None:
    change, said = UNFIT[how]
    unfit = rewritten(lora, tmp_path / "lora", lambda w: dict(change(k, v) for k, v in w.items()))
    config = json.loads((unfit / "adapter_config.json").read_text())
    (unfit / "adapter_config.json").write_text(json.dumps({**config, "target_modules": "all-linear"}))
    with pytest.raises(UsageError, match=re.escape(said)):
        check_lora(read_lora(str(unfit)), Checkpoint(str(tiny_checkpoint)))


@pytest.mark.slow
@pytest.mark.parametrize("module", ["lm_head", "model.language_model.embed_tokens"])
def test_an_adapter_of_words_can_not_be_merged_where_they_are_read_and_scored_by_one_matrix(
    tiny_checkpoint: Path, lora: Path, tmp_path: Path, module: str
) -> None:
    config = json.loads((tiny_checkpoint / "config.json").read_text())
    untied = tmp_path / "untied"
    shutil.copytree(tiny_checkpoint, untied)
    parts = [config, config["text_config"]]
    for part in parts:
        part["tie_word_embeddings"] = False
    (untied / "config.json").write_text(json.dumps(config))
    words = rewritten(
        lora,
        tmp_path / "lora",
        lambda w: {re.sub(r"model\.model\..*(?=\.lora)", f"model.{module}", k): w[k] for k in w},
    )
    found = json.loads((words / "adapter_config.json").read_text())
    (words / "adapter_config.json").write_text(json.dumps({**found, "target_modules": [module.split(".")[-1]]}))
    with pytest.raises(UsageError, match="use it unmerged, by lora="):
        check_mergeable(read_lora(str(words)), Checkpoint(str(tiny_checkpoint)))
    check_mergeable(read_lora(str(words)), Checkpoint(str(untied)))
    check_mergeable(read_lora(str(lora)), Checkpoint(str(tiny_checkpoint)))


@pytest.mark.parametrize(
    ("targets", "adapts"),
    [
        (["q_proj", "lm_head"], True),
        (r".*(q_proj|embed_tokens)", True),
        (["q_proj"], False),
        (r".*\.q_proj", False),
        ("all-linear", False),
    ],
)
def test_an_adapter_whose_weights_are_not_named_adapts_words_by_its_config(
    tmp_path: Path, targets: Any, adapts: bool
) -> None:
    (tmp_path / "adapter_model.bin").write_bytes(b"pickled")
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 8, "target_modules": targets}))
    assert read_lora(str(tmp_path)).words == adapts


@pytest.mark.slow
def test_an_adapter_fits_by_the_names_of_any_release(tiny_checkpoint: Path, lora: Path, tmp_path: Path) -> None:
    check_lora(read_lora(str(lora)), Checkpoint(str(tiny_checkpoint)))
    older = rewritten(
        lora,
        tmp_path / "lora",
        lambda w: {k.replace("model.language_model.", "language_model."): v for k, v in w.items()},
    )
    check_lora(read_lora(str(older)), Checkpoint(str(tiny_checkpoint)))


@pytest.mark.slow
def test_an_adapter_with_values_that_are_no_numbers_is_refused(
    tiny_checkpoint: Path, lora: Path, tmp_path: Path
) -> None:
    spoilt = rewritten(lora, tmp_path / "lora", lambda w: {k: v * float("nan") for k, v in w.items()})
    assert "with NaN or infinite values (base_model." in refusal(tiny_checkpoint, lora=str(spoilt))
