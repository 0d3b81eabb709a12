"""The doctor of checkpoints: what exports get wrong is found, named and put right."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from training_files import training_card, write_base

from egocross_eval.errors import UsageError
from egocross_eval.training import checkpoint_doctor
from egocross_eval.training.card import CARD_NAME
from egocross_eval.training.checkpoint_doctor import Diagnosis, examine
from egocross_eval.training.checkpoint_files import SHAPES, SIZES
from egocross_eval.training.checkpoint_weights import incomplete_shards

KEYS = (*SIZES, "text_config", "rope_scaling", "rope_theta", "model", "merges", "size", "image_processor", "dtype")

TOKENIZER = {
    "model": {"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]},
    "added_tokens": [{"id": 3, "content": "<|im_end|>"}],
    "pre_tokenizer": None,
    "normalizer": None,
}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=2), inner, max_size=4)
    ),
    max_leaves=8,
)


def write_weights(path: Path, names: tuple[str, ...] = ("w",), dtype: str = "BF16", cut: int = 0) -> None:
    header: dict[str, Any] = {}
    size = {"BF16": 2, "F32": 4}[dtype]
    for place, name in enumerate(names):
        header[name] = {"dtype": dtype, "shape": [4], "data_offsets": [4 * size * place, 4 * size * (place + 1)]}
    text = json.dumps(header).encode()
    content = struct.pack("<Q", len(text)) + text + bytes(4 * size * len(names))
    path.write_bytes(content[: len(content) - cut])


def write_checkpoint(folder: Path, **changes: Any) -> Path:
    write_base(folder, **changes)
    files = {
        "tokenizer.json": TOKENIZER,
        "tokenizer_config.json": {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "a"},
        "generation_config.json": {"eos_token_id": [3, 0], "pad_token_id": 0},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    (folder / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    write_weights(folder / "model.safetensors")
    return folder


def edit(path: Path, change: dict[str, Any], drop: tuple[str, ...] = ()) -> None:
    content = json.loads(path.read_text(encoding="utf-8")) | change
    path.write_text(json.dumps({k: v for k, v in content.items() if k not in drop}), encoding="utf-8")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "base")


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "trained")


def statuses(found: list[Diagnosis]) -> dict[str, str]:
    return {diagnosis.part: diagnosis.status for diagnosis in found if diagnosis.status != "fine"}


def test_a_copy_of_the_base_is_fine(base: Path, trained: Path) -> None:
    found = examine(trained, str(base), repair=False)
    assert statuses(found) == {}
    assert len(found) == 9


def test_other_spellings_of_the_same_content_are_fine(base: Path, trained: Path) -> None:
    edit(trained / "tokenizer.json", {"model": {"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}})
    config = json.loads((trained / "config.json").read_text(encoding="utf-8"))
    text = config["text_config"]
    text["rope_parameters"] = {**text.pop("rope_scaling"), "rope_theta": text.pop("rope_theta")}
    (trained / "config.json").write_text(json.dumps(config), encoding="utf-8")
    processor = json.loads((trained / "preprocessor_config.json").read_text(encoding="utf-8"))
    (trained / "preprocessor_config.json").unlink()
    (trained / "processor_config.json").write_text(json.dumps({"image_processor": processor}), encoding="utf-8")
    assert statuses(examine(trained, str(base), repair=False)) == {}


def break_tokenizer(folder: Path) -> None:
    edit(folder / "tokenizer.json", {"model": {"vocab": {"a": 1, "b": 0}, "merges": []}})


def drop_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def break_rope(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["text_config"]["rope_scaling"] = None
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def break_template(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ messages }}<think>", encoding="utf-8")


def drop_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()


def break_processor(folder: Path) -> None:
    edit(folder / "preprocessor_config.json", {"size": {"shortest_edge": 3136, "longest_edge": 360000}})


def break_generation(folder: Path) -> None:
    edit(folder / "generation_config.json", {"eos_token_id": 0})


def break_precision(folder: Path) -> None:
    edit(folder / "config.json", {"dtype": "float32"})


@pytest.mark.parametrize(
    ("harm", "part"),
    [
        (break_tokenizer, "tokenizer"),
        (drop_tokenizer, "tokenizer"),
        (break_rope, "rope"),
        (break_template, "chat template"),
        (drop_template, "chat template"),
        (break_processor, "processor"),
        (break_generation, "generation config"),
        (break_precision, "precision"),
    ],
)
def test_each_harm_is_found_and_repaired(base: Path, trained: Path, harm: Any, part: str) -> None:
    harm(trained)
    assert statuses(examine(trained, str(base), repair=False)) == {part: "broken"}
    assert statuses(examine(trained, str(base), repair=True)) == {part: "repaired"}
    assert statuses(examine(trained, str(base), repair=False)) == {}


def test_what_was_there_before_a_repair_is_kept(base: Path, trained: Path) -> None:
    break_generation(trained)
    before = (trained / "generation_config.json").read_text(encoding="utf-8")
    examine(trained, str(base), repair=True)
    assert (trained / "generation_config.json.before").read_text(encoding="utf-8") == before


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_a_repair_writes_through_no_link_that_came_with_the_checkpoint(
    base: Path, trained: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    break_rope(trained)
    break_generation(trained)
    for name in (".config.json.tmp", "config.json.before", "generation_config.json.before"):
        (trained / name).symlink_to(victim)
    found = statuses(examine(trained, str(base), repair=True))
    assert set(found.values()) == {"repaired"}
    assert victim.read_text() == "precious"


def test_torn_and_missing_weights_are_broken_and_never_repaired(base: Path, trained: Path) -> None:
    write_weights(trained / "model.safetensors", cut=3)
    assert statuses(examine(trained, str(base), repair=True)) == {"weights": "broken"}
    (trained / "model.safetensors").unlink()
    assert statuses(examine(trained, str(base), repair=True)) == {"weights": "broken"}


def test_every_shard_of_the_index_must_be_there_with_its_tensors(tmp_path: Path) -> None:
    write_weights(tmp_path / "model-1.safetensors", ("a",))
    write_weights(tmp_path / "model-2.safetensors", ("b",))
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert incomplete_shards(tmp_path) == []
    index["weight_map"]["c"] = "model-2.safetensors"
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    assert incomplete_shards(tmp_path) == ["model-2.safetensors lacks 1 tensor, e.g. c"]
    (tmp_path / "model-1.safetensors").unlink()
    assert incomplete_shards(tmp_path)[0] == "model-1.safetensors is missing"


SMALL = (
    ("config.json", "{"),
    ("config.json", "[]"),
    ("config.json", '{"text_config": "x"}'),
    ("config.json", '{"text_config": {"rope_scaling": [1]}}'),
    ("config.json", '{"text_config": {"rope_theta": "x"}}'),
    ("tokenizer.json", '{"model": 3}'),
    ("tokenizer.json", '{"model": {"merges": [1]}}'),
    ("tokenizer.json", '{"model": {}, "added_tokens": [{"x": 1}]}'),
    ("tokenizer_config.json", ""),
    ("generation_config.json", "[1"),
    ("preprocessor_config.json", '{"size": 5}'),
    ("video_preprocessor_config.json", '{"size": '),
    ("vocab.json", "{"),
    ("special_tokens_map.json", "[]"),
    ("added_tokens.json", ""),
    ("chat_template.jinja", b"\xff\xfe\x00"),
)


@pytest.mark.parametrize(("name", "content"), SMALL)
def test_a_small_file_that_cannot_be_read_is_named_and_taken_from_the_base(
    base: Path, trained: Path, name: str, content: str | bytes
) -> None:
    harmed = content if isinstance(content, bytes) else content.encode()
    (trained / name).write_bytes(harmed)
    found = examine(trained, str(base), repair=False)
    assert statuses(found) == {"files": "broken", "all else": "broken"}
    assert found[0].message.startswith(name)
    assert "files" in statuses(examine(trained, str(base), repair=True))
    assert (trained / f"{name}.before").read_bytes() == harmed
    assert statuses(examine(trained, str(base), repair=False)) == {}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(SHAPES)), st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_a_small_file_holds_the_doctor_puts_it_right(
    tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes
) -> None:
    place = tmp_path_factory.mktemp("harmed")
    base, trained = write_checkpoint(place / "base"), write_checkpoint(place / "trained")
    (trained / name).write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint_doctor, "folder_faults", lambda checkpoint, like: [])
        examine(trained, str(base), repair=True)
        assert statuses(examine(trained, str(base), repair=False)) == {}


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({}, "model_type is None instead of qwen3_vl"),
        ({"model_type": "qwen3_vl", "text_config": None}, "text_config is missing"),
        ({"model_type": "qwen3_vl", "text_config": {"hidden_size": 64}}, "hidden_size is 64 instead of 2560"),
    ],
)
def test_a_configuration_of_another_model_is_not_fine(
    base: Path, trained: Path, config: dict[str, Any], told: str
) -> None:
    (trained / "config.json").write_text(json.dumps(config), encoding="utf-8")
    found = examine(trained, str(base), repair=False)
    assert told in next(one.message for one in found if one.part == "architecture")
    assert statuses(examine(trained, str(base), repair=True))["architecture"] == "repaired"
    assert json.loads((trained / "config.json").read_text(encoding="utf-8"))["text_config"]["hidden_size"] == 2560
    assert json.loads((trained / "config.json.before").read_text(encoding="utf-8")) == config


def test_of_a_file_repaired_twice_the_first_state_is_kept(base: Path, trained: Path) -> None:
    break_rope(trained)
    break_precision(trained)
    before = (trained / "config.json").read_bytes()
    assert len(statuses(examine(trained, str(base), repair=True))) == 2
    assert (trained / "config.json.before").read_bytes() == before


def test_a_card_that_cannot_be_read_is_named_and_the_base_asked_for(base: Path, trained: Path) -> None:
    (trained / CARD_NAME).write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="cut off; name the base by --model"):
        examine(trained, None, repair=False)
    assert statuses(examine(trained, str(base), repair=True)) == {"training card": "broken"}


def test_without_card_and_base_it_is_asked_for(trained: Path) -> None:
    with pytest.raises(UsageError, match="--model"):
        examine(trained, None, repair=False)


def test_a_base_that_is_not_found_is_asked_for(trained: Path) -> None:
    card = training_card(base="/models/moved away")
    (trained / CARD_NAME).write_bytes(msgspec.json.encode(card))
    with pytest.raises(UsageError, match="isn't found from here; name it by --model"):
        examine(trained, None, repair=False)


def test_an_adapter_is_not_taken_for_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="train merge"):
        examine(tmp_path, "x", repair=False)
