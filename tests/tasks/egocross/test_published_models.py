"""`routed:published`: the four domain checkpoints by name, from a store on disk that stands in for the download."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from egocross_eval import Capabilities, GenerationSettings, ModelAdapter, Prompt, Request, Response, UsageError
from egocross_eval.contracts.registry import registry
from egocross_eval.model_adapters.spec import ModelSpec, build_adapter, parse_spec
from egocross_eval.tasks.egocross.published_models import (
    PublishedAdapter,
    PublishedOptions,
    checkpoint_folder,
    is_complete,
)

DOMAINS = ("animal", "industry", "xsports", "surgery")


def write_checkpoint(store: Path, domain: str) -> Path:
    folder = checkpoint_folder(store, domain)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    for name in ("model-1.safetensors", "model-2.safetensors"):
        (folder / name).write_bytes(b"x")
    return folder


class Naming(ModelAdapter):
    """Answers with the spec that it was built from."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec

    def capabilities(self) -> Capabilities:
        return Capabilities(video=True, scores=True)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for request in requests:
            yield Response(key=request.key, text=self.spec.text)

    def fingerprint(self) -> str:
        return self.spec.text


def asked(*domains: str) -> Iterator[Request]:
    for number, domain in enumerate(domains):
        yield Request(
            key=str(number),
            prompt=Prompt(messages=(), style="letter"),
            settings=GenerationSettings(),
            options={},
            labels={"domain": domain},
        )


def published(target: str, store: Path, fetched: list[str], **options: str) -> PublishedAdapter:
    def fetch(domain: str, into: Path) -> None:
        fetched.append(domain)
        write_checkpoint(into, domain)

    return PublishedAdapter(target, PublishedOptions(store=str(store), **options), Naming, fetch)


def test_each_domain_goes_to_its_own_checkpoint(tmp_path: Path) -> None:
    adapter = published("published", tmp_path, [], engine="vllm", engine_options="dtype=bfloat16+max_model_len=32768")
    answers = {response.key: response.text for response in adapter.generate(asked(*DOMAINS))}
    for number, domain in enumerate(DOMAINS):
        folder = checkpoint_folder(tmp_path, domain)
        assert folder.name == f"EgoCross_sft_qwen3vl4B_{domain}"
        assert answers[str(number)] == f"vllm:{folder},dtype=bfloat16,max_model_len=32768"


def test_only_what_is_missing_is_fetched_and_only_once_the_run_begins(tmp_path: Path) -> None:
    fetched: list[str] = []
    write_checkpoint(tmp_path, "animal")
    (write_checkpoint(tmp_path / "other", "surgery") / "model-2.safetensors").unlink()
    adapter = published("published", tmp_path, fetched)
    assert adapter.capabilities().scores
    assert fetched == []
    list(adapter.generate(asked("animal")))
    assert fetched == ["industry", "xsports", "surgery"]


def test_a_checkpoint_with_a_missing_part_is_not_complete(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, "animal")
    assert is_complete(folder)
    (folder / "model-2.safetensors").unlink()
    assert not is_complete(folder)
    assert not is_complete(tmp_path / "nowhere")


def test_one_checkpoint_can_answer_every_question(tmp_path: Path) -> None:
    fetched: list[str] = []
    adapter = published("published/surgery", tmp_path, fetched)
    answers = {response.text for response in adapter.generate(asked(*DOMAINS))}
    assert answers == {f"hf:{checkpoint_folder(tmp_path, 'surgery')}"}
    assert fetched == ["surgery"]
    assert adapter.fingerprint() is not None


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("routed:published/animals", "did you mean 'animal'"),
        ("routed:published,engine=openai", "unknown engine"),
        ("routed:published,by=dataset", "leave out by=dataset"),
        ("routed:file.yaml,engine=vllm", "unknown option 'engine'"),
    ],
)
def test_impossible_choices_are_refused(spec: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        build_adapter(parse_spec(spec), registry())
