"""Which checkpoint a spec means, what is known of it without loading it, and when its identity changes."""

from __future__ import annotations

import json
import struct
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hf_requests import adapter
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)

from egocross_eval.contracts.registry import load_registry
from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.checkpoints import identity
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.model_adapters.spec import build_adapter, parse_spec


def write_safetensors(path: Path, tensors: dict[str, bytes]) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, data in tensors.items():
        header[name] = {"dtype": "F32", "shape": [len(data) // 4], "data_offsets": [place, place + len(data)]}
        place += len(data)
    encoded = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(encoded)) + encoded + b"".join(tensors.values()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that looks like a checkpoint from outside."""
    path = tmp_path / "ckpt"
    path.mkdir()
    config = {"architectures": ["SomeModel"], "text_config": {"max_position_embeddings": 100}}
    (path / "config.json").write_text(json.dumps(config))
    write_safetensors(path / "model.safetensors", {"a": bytes(400), "b": bytes(range(200)) * 2})
    return path


@pytest.mark.parametrize("target", ["./nowhere", "/no/where", "~/no-such-folder-here", "a/b/c", "nowhere/"])
def test_a_path_that_leads_nowhere_is_named_and_not_looked_up_on_the_hub(target: str) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        Checkpoint(target)


def test_a_name_is_taken_for_a_model_on_the_hub_without_asking_the_hub() -> None:
    assert Checkpoint("Qwen/Qwen3-VL-4B-Instruct").source == "Qwen/Qwen3-VL-4B-Instruct"


def test_an_empty_target_is_refused() -> None:
    with pytest.raises(UsageError, match="names no model"):
        Checkpoint("")


def test_a_folder_without_config_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no config\.json"):
        Checkpoint(str(tmp_path))


def test_a_file_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(UsageError, match="is a file"):
        Checkpoint(str(tmp_path / "model.safetensors"))


def test_a_revision_of_a_folder_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="revision=main"):
        Checkpoint(str(folder), "main")


def test_a_relative_folder_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert Checkpoint("ckpt").source == str(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("video_preprocessor_config.json", {}),
        ("processor_config.json", {"video_processor": {}}),
        ("config.json", {"video_token_id": 7}),
    ],
)
def test_videos_are_offered_where_the_processor_has_a_part_for_them(
    folder: Path, name: str, content: dict[str, Any]
) -> None:
    assert not Checkpoint(str(folder)).takes_video
    (folder / name).write_text(json.dumps(content))
    assert Checkpoint(str(folder)).takes_video


def test_a_broken_config_is_named(folder: Path) -> None:
    (folder / "config.json").write_text("{")
    with pytest.raises(UsageError, match=r"config\.json is no valid JSON"):
        _ = Checkpoint(str(folder)).config


def test_building_an_adapter_imports_no_engine_and_checks_the_lora_folder(folder: Path) -> None:
    before = "torch" in sys.modules
    model = adapter(folder)
    assert ("torch" in sys.modules) == before
    assert model.capabilities().scores
    assert not model.capabilities().video
    with pytest.raises(UsageError, match=r"no adapter_config\.json"):
        adapter(folder, lora=str(folder))
    with pytest.raises(UsageError, match="is no folder"):
        adapter(folder, lora="./nowhere")


def test_no_requests_load_no_model(folder: Path) -> None:
    assert list(adapter(folder).generate(iter([]))) == []


def test_options_of_a_spec_are_checked(folder: Path) -> None:
    registry = load_registry()
    for wrong, message in [
        ("dtype=float99", "float99"),
        ("batch_size=0", "batch_size"),
        ("device=gpu zero", "device"),
        ("batchsize=4", "did you mean 'batch_size'"),
    ]:
        with pytest.raises(UsageError, match=message):
            build_adapter(parse_spec(f"hf:{folder},{wrong}"), registry)
    build_adapter(parse_spec(f"hf:{folder},dtype=bfloat16,batch_size=4,batch_tokens=auto,device=cuda:1"), registry)


class Hub:
    """Stands in for the download of single files: a cache folder of one commit, or an error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Exception | None = None
        self.snapshot: Path | None = None
        monkeypatch.setattr("huggingface_hub.hf_hub_download", self.download)
        monkeypatch.setattr("egocross_eval.model_adapters.checkpoints.checkpoint.reachable", lambda url: True)

    def download(self, name: str, filename: str, revision: str | None, local_files_only: bool) -> str:
        assert not local_files_only
        if self.error is not None:
            raise self.error
        assert self.snapshot is not None
        path = self.snapshot / filename
        if not path.is_file():
            raise EntryNotFoundError(f"{name} has no {filename}")
        return str(path)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    return Hub(monkeypatch)


def refusal(kind: type[Exception]) -> Exception:
    response = SimpleNamespace(status_code=403, headers={}, request=None)
    return kind("refused", response=response)  # type: ignore[call-arg]


def test_a_model_on_the_hub_is_identified_by_its_commit(hub: Hub, folder: Path) -> None:
    hub.snapshot = folder.rename(folder.parent / "0123abcd")
    checkpoint = Checkpoint("a/b")
    assert checkpoint.commit == "0123abcd"
    assert not checkpoint.takes_video
    first = adapter("a/b").fingerprint()
    hub.snapshot = hub.snapshot.rename(folder.parent / "4567efab")
    assert adapter("a/b").fingerprint() not in (None, first)
    assert adapter("a/b").details()["commit"] == "4567efab"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (refusal(GatedRepoError), r"asked for at https://huggingface\.co/a/b; then set HF_TOKEN"),
        (refusal(RepositoryNotFoundError), "no such model on the Hub"),
        (LocalEntryNotFoundError("offline"), "can't be reached and the model is not in the local cache"),
        (ConnectionError("no route"), "can't be reached: no route"),
    ],
)
def test_what_keeps_a_model_on_the_hub_away_is_said(hub: Hub, error: Exception, message: str) -> None:
    hub.error = error
    with pytest.raises(UsageError, match=message):
        adapter("a/b").fingerprint()


def test_a_hub_out_of_reach_is_said_without_asking_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    pauses: list[float] = []
    sleep, here = time.sleep, threading.current_thread()
    monkeypatch.setattr(time, "sleep", lambda s: pauses.append(s) if threading.current_thread() is here else sleep(s))
    with pytest.raises(UsageError, match="can't be reached and the model is not in the local cache"):
        adapter("nobody/knows-this-one").fingerprint()
    assert pauses == []


def test_details_count_the_parameters_without_loading_them(folder: Path) -> None:
    details = adapter(folder).details()
    assert details["parameters"] == 200
    assert details["architecture"] == "SomeModel"


def test_the_fingerprint_follows_weights_config_precision_and_adapter(folder: Path, tmp_path: Path) -> None:
    lora = tmp_path / "lora"
    lora.mkdir()
    (lora / "adapter_config.json").write_text("{}")
    seen = [adapter(folder).fingerprint(), adapter(folder, dtype="bfloat16").fingerprint()]
    seen.append(adapter(folder, lora=str(lora)).fingerprint())
    write_safetensors(lora / "adapter_model.safetensors", {"x": bytes(8)})
    seen.append(adapter(folder, lora=str(lora)).fingerprint())
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    seen.append(adapter(folder).fingerprint())
    write_safetensors(folder / "model.safetensors", {"a": bytes(400), "b": bytes(reversed(range(200))) * 2})
    seen.append(adapter(folder).fingerprint())
    assert len(set(seen)) == len(seen)
    assert adapter(folder).fingerprint() == seen[-1]


def test_the_fingerprint_does_not_depend_on_where_the_checkpoint_lies(folder: Path) -> None:
    before = adapter(folder).fingerprint()
    moved = folder.rename(folder.parent / "moved")
    (moved / "README.md").write_text("notes are no part of it")
    assert adapter(moved).fingerprint() == before


@pytest.mark.parametrize("place", [0, 399, 400, 799])
def test_a_change_at_either_end_of_any_tensor_of_a_large_file_is_seen(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    monkeypatch.setattr(identity, "WHOLE", 16)
    monkeypatch.setattr(identity, "PIECE", 4)
    before = identity.folder_hash(folder)
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) - 800 + place] ^= 1
    path.write_bytes(data)
    assert identity.folder_hash(folder) != before


def test_a_pointer_in_place_of_the_weights_is_named(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(UsageError, match=r"model\.safetensors can't be read"):
        identity.tensors(folder)
