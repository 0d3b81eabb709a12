"""Whether an experiment's engine can serve the adapters is told before they are trained. vLLM's part is a stand-in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from calling import call
from training_files import write_base

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.vllm import adapted_classes, extras
from egocross_eval.model_adapters.vllm.adapted_classes import Adapted
from egocross_eval.training.experiment_file import Experiment, read_experiment
from egocross_eval.training.served_adapter import check_adapters, planned_adapter

BOTH = Adapted(name="Qwen3VLForConditionalGeneration", text=True, tower=True)
TEXT = Adapted(name="LlavaOnevision", text=True, tower=False)
NONE = Adapted(name="Idefics", text=False, tower=False)


def experiment(tmp_path: Path, **train: Any) -> Experiment:
    base = tmp_path / "base"
    if not base.is_dir():
        write_base(base)
    options = {"max_lora_rank": "16"} if train.pop("limited", False) else {}
    evaluate = {"engine": train.pop("engine", "vllm"), "options": options}
    content = {"model": str(base), "data": "data", "output": "out", "domains": ["animal"], "evaluate": evaluate}
    path = tmp_path / "e.yaml"
    path.write_text(yaml.safe_dump({**content, "train": train}), encoding="utf-8")
    return read_experiment(path)


def vllm_is(monkeypatch: pytest.MonkeyPatch, found: Adapted | None) -> None:
    monkeypatch.setattr(adapted_classes, "ask_vllm", lambda architectures: found)
    monkeypatch.setattr(extras, "vllm_version", lambda: ("vllm", "0.33.0"))


@pytest.mark.parametrize(
    ("train", "found", "said"),
    [
        ({"set": {"use_dora": True}}, BOTH, "DoRA"),
        ({"set": {"lora_rank": 1024}}, BOTH, "rank 1024 is above vLLM's 512"),
        ({"limited": True}, BOTH, "rank 64 is above max_lora_rank=16, which can be left out"),
        ({"set": {"additional_target": "norm, input_layernorm"}}, BOTH, "whole modules"),
        ({"set": {"freeze_vision_tower": False}}, TEXT, "only the text model of LlavaOnevision is adapted"),
        ({"set": {"lora_target": "q_proj,proj", "freeze_multi_modal_projector": False}}, TEXT, "only the text model"),
        ({}, NONE, "Idefics takes no adapters"),
    ],
)
def test_an_adapter_that_vllm_can_not_serve_is_refused_before_it_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, train: dict[str, Any], found: Adapted, said: str
) -> None:
    vllm_is(monkeypatch, found)
    with pytest.raises(UsageError, match=rf"evaluate\.engine: .*{said}.*train\.merge: true.*engine hf"):
        check_adapters(experiment(tmp_path, **train))
    limited = train.pop("limited", False)
    check_adapters(experiment(tmp_path, **train, merge=True, limited=limited))
    check_adapters(experiment(tmp_path, **train, engine="hf"))


@pytest.mark.parametrize("changes", [{"resize_vocab": True}, {"additional_target": "lm_head"}])
def test_merging_is_no_remedy_where_no_merged_checkpoint_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    vllm_is(monkeypatch, BOTH)
    with pytest.raises(UsageError, match=r"whole modules.*; evaluate it with engine hf$"):
        check_adapters(experiment(tmp_path, set=changes))


@pytest.mark.parametrize(
    ("train", "found"),
    [
        ({}, BOTH),
        ({}, TEXT),
        ({}, None),
        ({"set": {"freeze_vision_tower": False}}, BOTH),
        ({"set": {"use_rslora": True, "lora_rank": 512}}, BOTH),
        ({"recipe": "full", "gpus": 4, "set": {"freeze_vision_tower": False}}, NONE),
    ],
)
def test_what_vllm_serves_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, train: dict[str, Any], found: Adapted | None
) -> None:
    vllm_is(monkeypatch, found)
    check_adapters(experiment(tmp_path, **train))


def test_merging_is_refused_where_words_are_read_and_scored_by_one_matrix(tmp_path: Path) -> None:
    asked = experiment(tmp_path, set={"lora_target": "q_proj,lm_head"}, merge=True)
    config = tmp_path / "base" / "config.json"
    content = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps(content | {"tie_word_embeddings": False}), encoding="utf-8")
    check_adapters(asked)
    config.write_text(json.dumps(content | {"tie_word_embeddings": True}), encoding="utf-8")
    with pytest.raises(UsageError, match=r"train\.merge: .*leave merge out"):
        check_adapters(asked)
    check_adapters(experiment(tmp_path, set={"lora_target": "q_proj,lm_head"}, engine="hf"))


def test_a_trainers_defaults_are_those_of_a_recipe_that_says_nothing() -> None:
    lora = planned_adapter({}, Path("model"))
    assert lora is not None
    assert (lora.rank, lora.sees, lora.parts_words) == (8, False, False)


@pytest.mark.parametrize("split", ["testbed", "holdout"])
def test_an_experiment_says_so_and_trains_nothing(
    tmp_path: Path, demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], split: str
) -> None:
    vllm_is(monkeypatch, BOTH)
    monkeypatch.setattr(extras, "has_vllm", lambda: True)
    content = {
        "model": str(write_base(tmp_path / "base")),
        "data": str(demo),
        "output": "out",
        "domains": ["animal"],
        "train": {"gpus": 0, "holdout": 0.25, "set": {"use_dora": True}},
        "evaluate": {"engine": "vllm", "split": split},
    }
    path = tmp_path / "e.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert call("experiment", path, "--dry-run") == 1
    assert "vLLM can't serve the adapter" in capsys.readouterr().err
    assert call("experiment", path) == 2
    assert "nothing was trained" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
