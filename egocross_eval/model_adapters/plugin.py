"""The built-in model adapters as a plugin. Factories import their engine only when called."""

from __future__ import annotations

from collections.abc import Iterable

from egocross_eval.contracts import hookimpl
from egocross_eval.contracts.model import AdapterType, ModelAdapter
from egocross_eval.model_adapters.baseline import BaselineOptions
from egocross_eval.model_adapters.hf.options import HfOptions
from egocross_eval.model_adapters.openai.options import OpenAIOptions
from egocross_eval.model_adapters.routed import RoutedOptions
from egocross_eval.model_adapters.vllm.options import PASSED_ON, VllmOptions, VllmServerOptions


def _baseline(target: str, options: BaselineOptions) -> ModelAdapter:
    from egocross_eval.model_adapters.baseline import build

    return build(target, options)


def _openai(target: str, options: OpenAIOptions) -> ModelAdapter:
    from egocross_eval.model_adapters.openai.adapter import build

    return build(target, options)


def _hf(target: str, options: HfOptions) -> ModelAdapter:
    from egocross_eval.model_adapters.hf.adapter import build

    return build(target, options)


def _vllm(target: str, options: VllmOptions, engine_options: dict[str, str]) -> ModelAdapter:
    from egocross_eval.model_adapters.vllm.adapter import build

    return build(target, options, engine_options)


def _vllm_server(target: str, options: VllmServerOptions, engine_options: dict[str, str]) -> ModelAdapter:
    from egocross_eval.model_adapters.vllm.server_adapter import build

    return build(target, options, engine_options)


def _routed(target: str, options: RoutedOptions) -> ModelAdapter:
    from egocross_eval.model_adapters.routed import build

    return build(target, options)


@hookimpl
def egocross_model_adapters() -> Iterable[AdapterType]:
    """Baselines, OpenAI-compatible endpoints, transformers, vLLM, and routed models."""
    return (
        AdapterType(
            scheme="baseline",
            description="answers without looking: chance, constant, longest option, position prior",
            factory=_baseline,
            options=BaselineOptions,
            target="chance|constant|longest|position",
            example="baseline:constant,letter=B",
        ),
        AdapterType(
            scheme="openai",
            description="any OpenAI-compatible chat endpoint",
            factory=_openai,
            options=OpenAIOptions,
            target="MODEL",
            neutral_options=frozenset(
                {"concurrency", "timeout", "max_retries", "backoff", "max_wait", "patience", "api_key_env"}
            ),
            example="openai:gpt-4.1,concurrency=16",
        ),
        AdapterType(
            scheme="hf",
            description="any image-text-to-text model of transformers, with batches and LoRA",
            factory=_hf,
            options=HfOptions,
            target="PATH_OR_NAME",
            neutral_options=frozenset({"threads"}),
            example="hf:Qwen/Qwen3-VL-4B-Instruct,dtype=bfloat16",
        ),
        AdapterType(
            scheme="vllm",
            description="vLLM's engine in this process, at its own speed, with LoRA",
            factory=_vllm,
            options=VllmOptions,
            passes_on=PASSED_ON,
            target="PATH_OR_NAME",
            example="vllm:./checkpoint,max_model_len=32768",
        ),
        AdapterType(
            scheme="vllm-server",
            description="a vLLM server that is started for the run, also from another environment",
            factory=_vllm_server,
            options=VllmServerOptions,
            passes_on=PASSED_ON,
            target="PATH_OR_NAME",
            example="vllm-server:./checkpoint,python=./vllm-env/bin/python",
        ),
        AdapterType(
            scheme="routed",
            description="each domain (or type) to a model of its own: by a YAML file, or the published checkpoints",
            factory=_routed,
            options=RoutedOptions,
            target="FILE.yaml|published[/DOMAIN]",
            example="routed:experts.yaml",
        ),
    )
