"""The built-in model adapters as a plugin. Factories import their engine only when called."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import Any

from egocross_eval.contracts.hooks import hookimpl
from egocross_eval.contracts.model import AdapterType, ModelAdapter
from egocross_eval.model_adapters.baseline import BaselineOptions
from egocross_eval.model_adapters.hf.options import HfOptions
from egocross_eval.model_adapters.openai.options import OpenAIOptions
from egocross_eval.model_adapters.ray.options import RayOptions
from egocross_eval.model_adapters.routed import RoutedOptions
from egocross_eval.model_adapters.vllm.options import VllmOptions, VllmServerOptions


def _factory(module: str) -> Callable[[str, Any], ModelAdapter]:
    """The `build` of one of this package's modules, imported when it's first called."""

    def factory(target: str, options: Any) -> ModelAdapter:
        build: Callable[[str, Any], ModelAdapter] = importlib.import_module(f"{__package__}.{module}").build
        return build(target, options)

    return factory


@hookimpl
def egocross_model_adapters() -> Iterable[AdapterType]:
    """Baselines, OpenAI-compatible endpoints, transformers, vLLM, and routed models."""
    return (
        AdapterType(
            scheme="baseline",
            description="answers without looking: chance, constant, longest option",
            factory=_factory("baseline"),
            options=BaselineOptions,
            target="chance|constant|longest",
            example="baseline:constant,letter=B",
            takes_paths=False,
        ),
        AdapterType(
            scheme="openai",
            description="any OpenAI-compatible chat endpoint",
            factory=_factory("openai.adapter"),
            options=OpenAIOptions,
            target="MODEL",
            example="openai:gpt-4.1,concurrency=16",
            takes_paths=False,
        ),
        AdapterType(
            scheme="hf",
            description="any image-text-to-text model of transformers, with batches and LoRA",
            factory=_factory("hf.adapter"),
            options=HfOptions,
            target="PATH_OR_NAME",
            example="hf:Qwen/Qwen3-VL-4B-Instruct,dtype=bfloat16",
        ),
        AdapterType(
            scheme="vllm",
            description="vLLM's engine in this process, at its own speed, with LoRA",
            factory=_factory("vllm.engine.adapter"),
            options=VllmOptions,
            target="PATH_OR_NAME",
            example="vllm:./checkpoint,max_model_len=32768",
        ),
        AdapterType(
            scheme="vllm-server",
            description="a vLLM server that is started for the run, also from another environment",
            factory=_factory("vllm.server.adapter"),
            options=VllmServerOptions,
            target="PATH_OR_NAME",
            example="vllm-server:./checkpoint,python=./vllm-env/bin/python",
        ),
        AdapterType(
            scheme="routed",
            description="each domain (or any other label of the questions) to a model of its own, by a YAML file",
            factory=_factory("routed"),
            options=RoutedOptions,
            target="FILE.yaml",
            example="routed:experts.yaml",
        ),
        AdapterType(
            scheme="ray",
            description="any other adapter, many times over, on the machines of a Ray cluster",
            factory=_factory("ray.adapter"),
            options=RayOptions,
            target="SPEC",
            example="ray:hf:./checkpoint,replicas=4,gpus=1",
            carries=True,
        ),
    )
