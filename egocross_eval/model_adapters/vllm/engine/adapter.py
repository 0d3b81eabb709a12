"""`vllm:PATH_OR_NAME`: answers requests on vLLM's asynchronous engine in this process."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.errors import warn_caller
from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
from egocross_eval.model_adapters.checkpoints.label_tokens import labels_without_token
from egocross_eval.model_adapters.checkpoints.threads import frame_threads
from egocross_eval.model_adapters.json_option import json_object
from egocross_eval.model_adapters.vllm.engine_options import TRUE, check_options, parse_options, trusted
from egocross_eval.model_adapters.vllm.extras import require_vllm, vllm_version
from egocross_eval.model_adapters.vllm.record import Identity
from egocross_eval.model_adapters.vllm.served_lora import check_base, check_fits, room_for, served_lora, switches
from egocross_eval.schema import Response

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from egocross_eval.model_adapters.checkpoints.lora import Lora
    from egocross_eval.model_adapters.checkpoints.preparation import Item, Loaded, Preparer
    from egocross_eval.model_adapters.streams.byte_budget import ByteBudget
    from egocross_eval.model_adapters.streams.ranks import Ranks
    from egocross_eval.model_adapters.streams.turns import Turn, Turns
    from egocross_eval.model_adapters.vllm.engine.engine import Engine
    from egocross_eval.model_adapters.vllm.options import VllmOptions
    from egocross_eval.schema import Request

GIB = 2**30

MOST_ATTEMPTS = 4
"""At a request whose frames the engine turns out not to have."""

DRAWN_AHEAD = 4
"""Requests drawn for each that the engine has room for, so that it stays busy while a question's further ones wait for
its first: as many as a question has rotations."""


def build(target: str, options: VllmOptions) -> VllmAdapter:
    """The adapter of a `vllm:` spec. Checks the arguments only; the engine starts when the first request is drawn.

    Raises MissingExtraError without vLLM, and UsageError for a path that leads nowhere, a `lora=` that is no adapter,
    and an engine option that vLLM doesn't know or take.
    """
    require_vllm()
    check_options("vllm", options.engine_options)
    checkpoint = Checkpoint(target, options.engine_options.get("revision"), scheme="vllm")
    lora = served_lora(options.lora, vllm_version(), options.engine_options)
    return VllmAdapter(checkpoint, options, lora)


class VllmAdapter(ModelAdapter):
    """One model on one engine.

    Requests enter as a bounded stream and leave as they finish, in any order. Frames are decoded and scaled in threads,
    by the very rules of the `hf:` adapter, so that a checkpoint reads the same tokens and pixels on both. At
    temperature 0 the most likely token is taken; above it every request has a seed of its own, from the run's seed and
    its content.
    """

    def __init__(self, checkpoint: Checkpoint, options: VllmOptions, lora: Lora | None) -> None:
        self._checkpoint = checkpoint
        self._options = options
        self._engine_options = options.engine_options
        self._lora = lora
        self._engine: Engine | None = None
        self._fits = False
        """Whether the adapter was found to fit its base."""
        self._numbers = itertools.count()
        self._tokens = TokenCount()
        self._prepared: Preparer | None = None
        self._template = json_object(
            "vllm", "template_kwargs", options.template_kwargs, example='{"enable_thinking":false}'
        )

    def capabilities(self) -> Capabilities:
        """Everything, and videos where the checkpoint's processor has a part for them."""
        return Capabilities(images=True, video=self._checkpoint.takes_video, scores=True, constrained=True)

    def untold_choices(self, choices: Sequence[str]) -> Sequence[str]:
        """Labels that aren't one token of the checkpoint's tokenizer."""
        return labels_without_token(self._checkpoint, choices)

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        """One response for each request, as they finish.

        Failures: `frame` (a frame can't be read), `context_length` (with the numbers), `prompt` (the processor or the
        engine refuses it), `engine` (it failed at this request). Raises RunError where the engine doesn't start or
        dies, and UsageError where the model can't answer in the mode that's asked for.
        """
        first = next(requests, None)
        if first is None:
            return
        from egocross_eval.model_adapters.streams.byte_budget import ByteBudget
        from egocross_eval.model_adapters.streams.ranks import Ranks
        from egocross_eval.model_adapters.streams.stream import stream
        from egocross_eval.model_adapters.streams.turns import Turns

        engine = self._started(first)
        preparer = self._preparer(engine)
        self._warn_of_tiles(preparer, first)
        threads = frame_threads(self._options.threads)
        most = self._options.concurrency
        room = engine.most_running * 5 // 4 + 1 if most == "auto" else most
        with ThreadPoolExecutor(threads, thread_name_prefix="egocross-frames") as pool:
            budget = ByteBudget(self._options.frame_memory * GIB)
            turns, ranks = Turns(room), Ranks(engine.ranks)
            work = _Work(engine, preparer, budget, turns, ranks, pool, self._lora, self._numbers, self._tokens)
            everything = itertools.chain([first], requests)
            yield from stream(everything, work.answer, loop=engine.loop, bound=DRAWN_AHEAD * room)

    @cached_property
    def _processor(self) -> Any:
        from egocross_eval.model_adapters.checkpoints.processor import load_processor

        return load_processor(self._checkpoint, trust_remote_code=trusted(self._engine_options))

    def _preparer(self, engine: Engine) -> Preparer:
        from egocross_eval.model_adapters.checkpoints.preparation import Preparer

        if self._prepared is None or self._prepared.context != engine.context:
            self._prepared = Preparer(
                self._processor,
                engine.context,
                by_first_token=("choose",),
                template=self._template,
                settings=engine.processor_settings,
                together=False,
            )
        return self._prepared

    def _warn_of_tiles(self, preparer: Preparer, first: Request) -> None:
        """Says where the model isn't shown several frames as it was made to see them."""
        item = preparer.plan(first)
        images = () if isinstance(item, Response) else item.images
        found = preparer.counts.told_apart(images[0].size) if len(images) > 1 else None
        if found is not None:
            warn_caller(
                f"vLLM processes each frame by itself, and {self._checkpoint.spec} cuts a lone one into tiles: "
                f"{found[0]:,} tokens a frame, where its own processor makes {found[1]:,} of each of several; "
                f"hf: shows them as the processor does"
            )

    def _started(self, first: Request) -> Engine:
        """The engine, started for the kind of media that the first request shows unless it's an earlier adapter's."""
        from egocross_eval.model_adapters.checkpoints.chat import check_thinking, render

        check_thinking(render(self._processor, first.prompt, self._template), first.settings)
        if not self._fits:
            check_fits(self._lora, self._checkpoint, self._engine_options)
            self._fits = True
        if self._engine is None:
            from egocross_eval.model_adapters.checkpoints.scaling import patch_rule
            from egocross_eval.model_adapters.vllm.engine.engine import Engine
            from egocross_eval.model_adapters.vllm.engine.prompts import media_arguments, refuse_scaling
            from egocross_eval.model_adapters.vllm.media import shown_kind

            check_base(self._checkpoint, self._engine_options)
            rule = patch_rule(getattr(self._processor, "image_processor", None))
            given = parse_options("vllm", self._engine_options)
            refuse_scaling(given.get("mm_processor_kwargs") or {}, rule)
            arguments = {
                "model": self._checkpoint.source,
                "max_model_len": -1,  # as much of the model's own context as the memory holds
                **media_arguments(first, rule),
                **given,
            }
            if self._lora is not None:
                arguments = {"max_lora_rank": room_for(self._lora), **arguments, **switches(self._lora)}
            self._engine = Engine(arguments, shows=shown_kind(first.prompt), lora=self._lora)
        return self._engine

    def adopt(self, earlier: ModelAdapter) -> None:
        """Takes over the engine of an earlier adapter with the same base and options, whatever its LoRA adapter."""
        if isinstance(earlier, VllmAdapter) and earlier._shared == self._shared and self._engine is None:
            self._engine, earlier._engine = earlier._engine, None
            self._numbers = earlier._numbers

    @property
    def _shared(self) -> tuple[object, ...]:
        """What adapters on one engine have in common."""
        given = self._engine_options
        with_lora = self._lora is not None or given.get("enable_lora", "").lower() in TRUE
        rank = given.get("max_lora_rank") or (str(room_for(self._lora)) if self._lora is not None else "")
        sees = self._lora is not None and self._lora.sees
        return self._checkpoint.source, given, with_lora, rank, sees

    def fingerprint(self) -> str | None:
        """Hash of the weights, the adapter, the options and vLLM's version."""
        return self._identity.fingerprint()

    def details(self) -> dict[str, Any]:
        """Architecture, number of parameters and versions; after the start, what the engine settled on."""
        engine = self._engine
        if engine is None:
            return self._identity.details()
        counts = {"prompt_tokens": self._tokens.prompts, "reused_prompt_tokens": self._tokens.reused}
        frames = self._prepared.frames_seen() if self._prepared is not None else {}
        return self._identity.details() | engine.details() | counts | frames

    @property
    def _identity(self) -> Identity:
        return Identity(
            scheme="vllm",
            checkpoint=self._checkpoint,
            lora=self._lora,
            engine_options=self._engine_options,
            template=self._template,
            version=vllm_version(),
        )

    def close(self) -> None:
        """Ends the engine."""
        engine, self._engine, self._prepared = self._engine, None, None
        if engine is not None:
            engine.close()


class TokenCount(msgspec.Struct, kw_only=True):
    """Tokens of the prompts that were answered."""

    prompts: int = 0
    reused: int = 0
    """Those whose keys and values the engine still had, so that it didn't compute them."""


class _Work:
    """What answering one request after the other needs."""

    def __init__(
        self,
        engine: Engine,
        preparer: Preparer,
        budget: ByteBudget,
        turns: Turns,
        ranks: Ranks,
        pool: ThreadPoolExecutor,
        lora: Lora | None,
        numbers: Iterator[int],
        tokens: TokenCount,
    ) -> None:
        self._engine = engine
        self._preparer = preparer
        self._budget = budget
        self._turns = turns
        self._ranks = ranks
        self._pool = pool
        self._lora = lora
        self._numbers = numbers
        self._tokens = tokens

    async def answer(self, request: Request) -> Response:
        """The response to a request, a failure included."""
        import asyncio

        turn = self._turns.turn(_shown(request))
        try:
            item = await asyncio.get_running_loop().run_in_executor(self._pool, self._preparer.plan, request)
            return item if isinstance(item, Response) else await self._answer_in_turn(item, turn)
        finally:
            turn.end()

    async def _answer_in_turn(self, item: Item, turn: Turn) -> Response:
        import asyncio

        from egocross_eval.model_adapters.vllm.engine.prompts import frame_bytes

        await turn.come()
        hold = await self._budget.take(frame_bytes(item, keeps_bytes=self._engine.keeps_bytes))
        try:
            loaded = await asyncio.get_running_loop().run_in_executor(self._pool, self._preparer.load, item)
            return loaded if isinstance(loaded, Response) else await self._ask(loaded, turn)
        finally:
            hold.release()

    async def _ask(self, loaded: Loaded, turn: Turn) -> Response:
        from egocross_eval.model_adapters.requests import failed
        from egocross_eval.model_adapters.vllm.engine.engine import (
            FailedRequestError,
            MissingFramesError,
            RefusedPromptError,
        )

        request = loaded.item.request
        attempts = 1
        while True:
            try:
                response = await self._attempt(loaded, turn)
            except RefusedPromptError as error:
                response = failed(request, "prompt", str(error))
            except MissingFramesError as error:
                if attempts < MOST_ATTEMPTS:
                    attempts += 1
                    continue
                response = failed(request, "engine", str(error))
            except FailedRequestError as error:
                response = failed(request, "engine", str(error))
            return response if attempts == 1 else msgspec.structs.replace(response, attempts=attempts)

    async def _attempt(self, loaded: Loaded, turn: Turn) -> Response:
        from egocross_eval.model_adapters.checkpoints.preparation import too_long
        from egocross_eval.model_adapters.vllm.engine.outputs import response
        from egocross_eval.model_adapters.vllm.engine.prompts import engine_prompt, sampling

        started = time.perf_counter()
        item = loaded.item
        bos = self._preparer.processor.tokenizer.bos_token
        prompt = engine_prompt(loaded, self._preparer)
        # Where the chat template writes the token of the beginning, the tokenizer mustn't write another.
        rendered = await self._engine.render(prompt, add_special_tokens=bos is None or not item.text.startswith(bos))
        tokens = len(rendered["prompt_token_ids"])
        if tokens >= self._engine.context:
            return too_long(item.request, tokens, self._engine.context)
        settings = sampling(item, streamed=turn.awaited)
        if not turn.awaited:
            turn.read()  # its first token won't be seen: who comes from now on needn't wait
        with self._ranks.rank(_shown(item.request)) as rank:
            name = str(next(self._numbers))
            output = await self._engine.generate(rendered, settings, name, self._lora, turn.read, rank)
        seconds = time.perf_counter() - started
        self._tokens.prompts += tokens
        self._tokens.reused += output.num_cached_tokens or 0
        return response(item, output, dtype=self._engine.dtype, input_tokens=tokens, seconds=seconds)


def _shown(request: Request) -> Hashable | None:
    """What requests that show the same frames have in common, as their prompts begin alike; None without frames."""
    return request.frame_hashes or tuple(request.prompt.frame_paths()) or None
