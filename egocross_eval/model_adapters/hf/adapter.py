"""`hf:PATH_OR_NAME`: answers requests with a transformers model in this process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.errors import warn_caller
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.model_adapters.checkpoints.identity import described, fingerprint
from egocross_eval.model_adapters.checkpoints.label_tokens import labels_without_token
from egocross_eval.model_adapters.checkpoints.lora import read_lora
from egocross_eval.model_adapters.checkpoints.threads import frame_threads
from egocross_eval.model_adapters.hf.attention import refuse_attention
from egocross_eval.model_adapters.json_option import json_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from egocross_eval.model_adapters.checkpoints.preparation import Preparer
    from egocross_eval.model_adapters.hf.engine import Engine
    from egocross_eval.model_adapters.hf.options import HfOptions
    from egocross_eval.schema import Request, Response

MOST_COLLATORS = 4
"""Threads in which a family's own image processor runs, which takes 6 to 50 ms a frame and no more than a core."""

_ENGINES = ("transformers", "torch", "torchvision", "tokenizers", "peft", "accelerate")


def build(target: str, options: HfOptions) -> ModelAdapter:
    """The adapter of an `hf:` spec. Checks the arguments only; the model is loaded when the first request is drawn.

    Raises UsageError for a path that leads nowhere, a folder that is no checkpoint, a `lora=` that is no adapter, or an
    `attn=` that would compute something else than the model's own attention.
    """
    checkpoint = Checkpoint(target, options.revision)
    refuse_attention(checkpoint, options.attn)
    return HfAdapter(checkpoint, options)


class HfAdapter(ModelAdapter):
    """One model of transformers, by the auto classes for images and text.

    Requests are drawn in windows, sorted by length and answered in batches with padding on the left; each batch's
    responses are yielded as soon as it's answered. Batches depend on the order of the requests alone. At temperature 0
    the most likely token is taken; above it every request draws from a generator of its own, seeded by the run's seed
    and the request's content, so that its answer doesn't depend on its companions in the batch. Padding and batch
    shapes still change the last bits of floating-point results, which can turn a near tie.
    """

    def __init__(self, checkpoint: Checkpoint, options: HfOptions) -> None:
        self._checkpoint = checkpoint
        self._options = options
        self._lora = read_lora(options.lora) if options.lora is not None else None
        self._processor_settings = json_object(
            "hf", "processor_kwargs", options.processor_kwargs, example='{"crop_to_patches":false}'
        )
        self._template = json_object(
            "hf", "template_kwargs", options.template_kwargs, example='{"enable_thinking":false}'
        )
        self._device = ThreadPoolExecutor(1, thread_name_prefix="egocross-model")
        self._engine: Future[Engine] | None = None

    def capabilities(self) -> Capabilities:
        """Images, and all ways to answer; videos where the checkpoint's processor has a part for them."""
        return Capabilities(images=True, video=self._checkpoint.takes_video, scores=True, constrained=True)

    def untold_choices(self, choices: Sequence[str]) -> Sequence[str]:
        """Labels that aren't one token of the checkpoint's tokenizer."""
        return labels_without_token(self._checkpoint, choices)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """One response for each request, in batches of similar length.

        Failures: `frame` (a frame can't be read), `context_length` (with the numbers), `out_of_memory` (a single
        request doesn't fit), `prompt` (the processor refuses it). Raises UsageError where the model can't be loaded,
        or can't answer in the mode that's asked for.
        """
        first = next(requests, None)
        if first is None:
            return
        from egocross_eval.model_adapters.checkpoints.threads import own_thread_counts, single_threaded, usable_cores
        from egocross_eval.model_adapters.hf.pipeline import Limits, Pipeline

        preparer = self._prepared
        self._warn_of_thinking(first)
        engine = self._loading(preparer)
        size = self._options.batch_size
        limits = Limits(
            window=self._options.window,
            threads=frame_threads(self._options.threads),
            batch_size=None if size == "auto" else size,
            # Frames of the Qwen-VL kind are scaled already, and a GPU does the rest.
            collators=1 if preparer.image_rule is not None else min(MOST_COLLATORS, usable_cores()),
            start_thread=single_threaded,
        )
        with own_thread_counts():
            yield from Pipeline(preparer, engine, limits, self._device).run(_chain(first, requests))

    def _warn_of_thinking(self, first: Request) -> None:
        """Says what it costs to let a model think in batches that end with their longest answer.

        Raises UsageError where it can't be asked so at all, before its weights are loaded.
        """
        from egocross_eval.model_adapters.checkpoints.chat import check_thinking, opened_thinking, render

        text = render(self._prepared.processor, first.prompt, self._template)
        check_thinking(text, first.settings)
        if opened_thinking(text):
            warn_caller(
                f"{self._checkpoint.spec} thinks before it answers, and hf: answers in batches that end with their "
                f"longest answer, of up to {first.settings.max_new_tokens:,} tokens; vllm: takes a new question as "
                f"soon as one is answered, and is several times faster at this"
            )

    @cached_property
    def _prepared(self) -> Preparer:
        from egocross_eval.model_adapters.checkpoints.preparation import Preparer
        from egocross_eval.model_adapters.checkpoints.processor import load_processor

        processor = load_processor(
            self._checkpoint, trust_remote_code=self._options.trust_remote_code, settings=self._processor_settings
        )
        return Preparer(processor, self._context, template=self._template, settings=self._processor_settings)

    @property
    def _context(self) -> int | None:
        text = self._checkpoint.config.get("text_config", self._checkpoint.config)
        length = text.get("max_position_embeddings") if isinstance(text, dict) else None
        return length if isinstance(length, int) else None

    def _loading(self, preparer: Preparer) -> Future[Engine]:
        """The engine, whose model is loaded in the model's own thread; once."""
        import torch

        cores = torch.get_num_threads()

        def load() -> Engine:
            torch.set_num_threads(cores)
            from egocross_eval.model_adapters.hf.engine import Engine
            from egocross_eval.model_adapters.hf.loading import load_model
            from egocross_eval.model_adapters.hf.memory import room_of

            model = load_model(self._checkpoint, self._options, self._lora)
            return Engine(model, preparer, room_of(model, self._options.batch_tokens))

        if self._engine is None:
            self._engine = self._device.submit(load)
        return self._engine

    def fingerprint(self) -> str | None:
        """Hash of the checkpoint's files (or its commit on the Hub), the adapter's, dtype and transformers' version."""
        decisive = [
            self._options.dtype,
            self._options.attn,
            self._processor_settings,
            self._template,
            _version("transformers"),
            # Answers of earlier versions, which merged into a matrix that is two here, aren't those of this one.
            *(["words apart"] if self._lora is not None and self._lora.words else []),
        ]
        return fingerprint(self._checkpoint, self._lora, after=decisive)

    def details(self) -> dict[str, Any]:
        """Architecture, number of parameters, precision and versions; after loading, the device as well."""
        details = described(self._checkpoint, self._lora) | {
            "dtype": self._options.dtype,
            "device": self._options.device_map or self._options.device,
            "versions": {name: found for name in _ENGINES if (found := _version(name))},
        }
        if self._processor_settings:
            details["processor_kwargs"] = self._processor_settings
        if self._template:
            details["template_kwargs"] = self._template
        if self._engine is not None and self._engine.done() and self._engine.exception() is None:
            engine = self._engine.result()
            details |= {
                "device": str(engine.model.device),
                "dtype": str(engine.model.dtype).removeprefix("torch."),
                "attention": engine.model.config._attn_implementation,
                "batch_tokens": engine.room.bound,
                "out_of_memory": engine.out_of_memory,
                "prompt_tokens": engine.prompt_tokens,
                "reused_prompt_tokens": engine.reused_tokens,
                **self._prepared.frames_seen(),
            }
        return details

    def close(self) -> None:
        """Frees the model and ends its thread."""
        self._device.shutdown(wait=True, cancel_futures=True)
        if self._engine is not None:
            from egocross_eval.model_adapters.hf.full_memory import free_memory

            self._engine = None
            self.__dict__.pop("_prepared", None)
            free_memory()


def _chain(first: Request, rest: Iterator[Request]) -> Iterator[Request]:
    yield first
    yield from rest


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
