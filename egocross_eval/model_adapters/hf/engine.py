"""The model side: batches of loaded requests in, responses out."""

from __future__ import annotations

import copy
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.model_adapters.checkpoints.model_inputs import model_inputs
from egocross_eval.model_adapters.checkpoints.preparation import too_long
from egocross_eval.model_adapters.hf.attention import no_plan_for_each_length
from egocross_eval.model_adapters.hf.full_memory import free_memory, is_out_of_memory
from egocross_eval.model_adapters.hf.opening import Openings
from egocross_eval.model_adapters.hf.padding import equal_length, masks_cost
from egocross_eval.model_adapters.hf.responses import Computed, Writing, chosen, constrained
from egocross_eval.model_adapters.hf.sampling import gumbel_sampler, nan_watch
from egocross_eval.model_adapters.hf.shared_beginning import Continuation, continued, split
from egocross_eval.model_adapters.hf.side_stream import SideStream
from egocross_eval.model_adapters.requests import failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from egocross_eval.model_adapters.checkpoints.preparation import Item, Loaded, Preparer
    from egocross_eval.model_adapters.hf.memory import Room
    from egocross_eval.schema import Response

CLOSE = {"float32": 0.02}
"""How far log-probabilities may differ that were computed with and without a shared beginning; rounding makes more of
it in the half precisions, see `COARSE`."""

COARSE = 1.0

COMPARED = 10
"""Tokens compared for that: the likeliest ones."""


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """A batch as the model takes it."""

    batch: list[Loaded]
    tensors: Any
    """What the processor returned, still on the processor's device; cut to the beginnings where there is something to
    continue them."""
    continuation: Continuation | None
    """Where prompts begin alike, what follows the beginnings."""
    ready: Any
    """When they are complete, for `SideStream.join`."""
    lengths: list[int]
    """Tokens of each prompt, padding left out."""
    seconds: float
    """How long the processor took."""

    @property
    def items(self) -> list[Item]:
        """Every prompt's item, in the order of `lengths`."""
        return [item for one in self.batch for item in one.items]


class BatchError(Exception):
    """A batch can't be prepared as a whole; `kind` is the failure's kind for a request that can't be alone either."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Engine:
    """Answers batches with one model. Everything here runs in one thread, but for `inputs` and `stop`."""

    def __init__(self, model: Any, preparer: Preparer, room: Room) -> None:
        self._model = model
        self.room = room
        """How large a batch may be."""
        self.apart = equal_length if masks_cost(model) else None
        """What else the groups of a batch must have in common, for `cut_batches`."""
        self._ends, self._padding = _only_ends(model, preparer.processor.tokenizer)
        self._preparer = preparer
        self._side = SideStream(model.device)
        self._context = context_length(model.config)
        # Tokenizers keep state during a call: batches are made in another thread than texts are read in.
        tokenizer = copy.deepcopy(preparer.processor.tokenizer)
        self._writing = Writing(tokenizer=tokenizer, ends=self._ends, context=self._context)
        self._local = threading.local()
        self._stopping = threading.Event()
        self.out_of_memory = 0
        """How often a batch didn't fit the memory."""
        exact = False if sees_windows(model.config) else None
        self._continues: bool | None = exact
        self._openings = Openings(model, preparer.processor, self._padding)
        self._opens: bool | None = exact
        self.prompt_tokens = 0
        """Tokens of all prompts that were answered."""
        self.reused_tokens = 0
        """Those among them that were not computed, because another prompt in the batch begins with them too."""

    @property
    def model(self) -> Any:
        """The transformers model."""
        return self._model

    @property
    def _dtype(self) -> str:
        return str(self._model.dtype).removeprefix("torch.")

    def stop(self) -> None:
        """Ends a generation that is under way after its present token. Safe from any thread."""
        self._stopping.set()

    def resume(self) -> None:
        """Takes back `stop`."""
        self._stopping.clear()

    def inputs(self, batch: list[Loaded]) -> tuple[Inputs | None, list[Response]]:
        """What the processor makes of a batch, and failures of the requests that are too long.

        Raises BatchError where the processor refuses the batch or memory runs out.
        """
        failures: list[Response] = []
        if self._continues is False:
            batch = _singles(batch)
        while batch:
            started = time.perf_counter()
            try:
                with self._side.preparing():
                    on_gpu = self._model.device if self._model.device.type == "cuda" else None
                    tensors = model_inputs(self._threads_preparer, batch, on_gpu)
                    ready = self._side.mark()
            except Exception as error:  # processors raise anything for a prompt that they can't take
                kind = "out_of_memory" if is_out_of_memory(error) else "prompt"
                raise BatchError(kind, _first_line(error)) from error
            seconds = time.perf_counter() - started
            continuation = None
            lengths = [int(length) for length in tensors["attention_mask"].sum(dim=1)]
            limit = self._context
            if batch[0].shared:
                found = split(batch, tensors, self._padding)
                if found is None or (limit is not None and max(found[1]) >= limit):
                    batch = _singles(batch)
                    continue
                continuation, lengths = found
            if limit is None or max(lengths) < limit:
                inputs = Inputs(
                    batch=batch,
                    tensors=tensors,
                    continuation=continuation,
                    ready=ready,
                    lengths=lengths,
                    seconds=seconds,
                )
                return inputs, failures
            pairs = list(zip(batch, lengths, strict=True))
            failures += [too_long(one.item.request, length, limit) for one, length in pairs if length >= limit]
            batch = [one for one, length in pairs if length < limit]
        return None, failures

    @property
    def _threads_preparer(self) -> Preparer:
        """The preparer with a processor of this thread's own."""
        own: Preparer | None = getattr(self._local, "preparer", None)
        if own is None:
            own = self._local.preparer = self._preparer.with_own_processor()
        return own

    def answer(self, inputs: Inputs) -> list[Response]:
        """One response for each request of the batch.

        A batch that doesn't fit the memory is split in two, down to single requests; frames are never left out.
        """
        if len(inputs.items) > 1 and not self.room.holds(inputs.batch):
            # It was cut before another batch showed how little fits.
            inputs.tensors.clear()
            return self._halves(inputs.batch)
        try:
            with no_plan_for_each_length():
                responses = self._answer(inputs)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            message = _first_line(error)
        else:
            self.room.fitted(inputs.batch)
            return responses
        # Outside the handler, so that the failed attempt's tensors are free.
        inputs.tensors.clear()
        return self.split(inputs.batch, "out_of_memory", message)

    def split(self, batch: list[Loaded], kind: str, message: str) -> list[Response]:
        """Answers a batch that failed as a whole by halves; a request alone becomes a failure of that kind."""
        if kind == "out_of_memory":
            self.out_of_memory += 1
            self.room.failed(batch)
            dropped = self._drop_opening()
            free_memory()
            if dropped:
                return self._prepare_and_answer([msgspec.structs.replace(one, opening=None) for one in batch])
        if len(batch) == len(batch[0].items) == 1:
            return [failed(batch[0].item.request, kind, message)]
        return self._halves(batch)

    def _drop_opening(self) -> bool:
        self.room.kept = 0
        return self._openings.drop()

    def _halves(self, batch: list[Loaded]) -> list[Response]:
        if len(batch) == 1:
            batch = batch[0].alone()
        middle = len(batch) // 2
        return [response for half in (batch[:middle], batch[middle:]) for response in self._prepare_and_answer(half)]

    def _prepare_and_answer(self, batch: list[Loaded]) -> list[Response]:
        try:
            inputs, failures = self.inputs(batch)
        except BatchError as error:
            kind, message = error.kind, str(error)
        else:
            return failures + (self.answer(inputs) if inputs is not None else [])
        return self.split(batch, kind, message)

    def _answer(self, inputs: Inputs) -> list[Response]:
        import torch

        started = time.perf_counter()
        self._side.join(inputs.ready, inputs.tensors)
        if inputs.continuation is not None and not self._can_continue(inputs.batch[0]):
            return self._prepare_and_answer(_singles(inputs.batch))
        answering = {"choose": self._choose, "constrained": self._constrain, "generate": self._generate}
        with torch.inference_mode():
            arguments, spared = self._arguments(inputs)
            responses = answering[inputs.items[0].request.settings.answer_mode](inputs, arguments)
        self.prompt_tokens += sum(inputs.lengths)
        reused = spared + (inputs.continuation.reused if inputs.continuation is not None else 0)
        self.reused_tokens += reused
        seconds = inputs.seconds + time.perf_counter() - started
        # The batch's first prompts have one more where it doesn't divide evenly.
        shares = [reused // len(responses) + (place < reused % len(responses)) for place in range(len(responses))]
        return [
            msgspec.structs.replace(response, seconds=seconds, reused_tokens=share)
            for response, share in zip(responses, shares, strict=True)
        ]

    def _arguments(self, inputs: Inputs) -> tuple[dict[str, Any], int]:
        """What `generate` takes: the whole prompts, and the computed keys and values of beginnings that they share; and
        how many tokens an opening spares."""
        tensors = inputs.tensors.to(self._model.device, dtype=self._model.dtype)
        arguments, spared = self._opened(inputs.batch, tensors) or (dict(tensors), 0)
        if inputs.continuation is None:
            return arguments, spared
        return continued(self._model, arguments, inputs.continuation, self._one_token), spared

    @property
    def _one_token(self) -> Any:
        return self._settings(max_new_tokens=1, use_cache=True, return_dict_in_generate=True)

    def _opened(self, batch: list[Loaded], tensors: Any) -> tuple[dict[str, Any], int] | None:
        """The prompts from the opening on that they share with those of other batches, and how many tokens that spares;
        None where they share none.

        Whether the model goes on from one as from its own is tried at the first: it's computed both ways.
        """
        self._forget_positions()
        if self._opens is False:
            return None
        try:
            found = self._openings.opened(batch, tensors, self._one_token, self._processed)
            if found is not None and self._opens is None:
                together = self._first_logits(found.arguments)
                self._forget_positions()
                self._opens = self._agree(together, self._first_logits(dict(tensors)))
                self._forget_positions()
                again = self._openings.opened(batch, tensors, self._one_token, self._processed) if self._opens else None
                found = msgspec.structs.replace(again, spared=found.spared) if again is not None else None
        except Exception as error:  # whatever a model raises that can't be gone on from an opening
            if is_out_of_memory(error):
                raise
            self._opens, found = False, None
        if self._opens is False:
            self._drop_opening()
        if found is None:
            self._forget_positions()
            return None
        self.room.kept = self._openings.tokens
        return found.arguments, found.spared

    def _processed(self, one: Loaded) -> Any:
        """A prompt alone, as the model takes it."""
        on_gpu = self._model.device if self._model.device.type == "cuda" else None
        tensors = model_inputs(self._threads_preparer, [one], on_gpu)
        return tensors.to(self._model.device, dtype=self._model.dtype)

    def _forget_positions(self) -> None:
        """Drops what a model keeps of the positions in the batch before, whose shape this one may not have."""
        core: Any = getattr(self._model, "model", None)
        if getattr(core, "rope_deltas", None) is not None:
            core.rope_deltas = None

    def _agree(self, together: Any, apart: Any) -> bool:
        """Whether logits of shape (prompts, vocabulary) that were computed in two ways say the same."""
        import torch

        one, other = (torch.log_softmax(logits, dim=-1) for logits in (together, apart))
        likeliest = other.topk(COMPARED, dim=-1).indices
        differing = (one - other).abs().gather(1, likeliest).max().item()
        return bool(differing < CLOSE.get(self._dtype, COARSE))

    def _can_continue(self, group: Loaded) -> bool:
        """Whether this model goes on from a shared beginning as from its own: the first group is computed both ways.

        An architecture may keep more than keys and values between its passes.
        """
        if self._continues is None:
            import torch

            try:
                with torch.inference_mode():
                    together, apart = (
                        self._first_logits(self._arguments(self._tried(batch))[0]) for batch in ([group], group.alone())
                    )
                self._continues = self._agree(together, apart)
            except Exception as error:  # whatever a model raises that can't be continued
                if is_out_of_memory(error):
                    raise
                self._continues = False
        return self._continues

    def _tried(self, batch: list[Loaded]) -> Inputs:
        inputs, _ = self.inputs(batch)
        assert inputs is not None  # its lengths were found to be within the context
        self._side.join(inputs.ready, inputs.tensors)
        return inputs

    def _computed(self, inputs: Inputs) -> Computed:
        return Computed(items=inputs.items, lengths=inputs.lengths, dtype=self._dtype)

    def _choose(self, inputs: Inputs, tensors: Any) -> list[Response]:
        return chosen(self._computed(inputs), self._first_logits(tensors))

    def _constrain(self, inputs: Inputs, tensors: Any) -> list[Response]:
        return constrained(self._computed(inputs), self._first_logits(tensors))

    def _first_logits(self, tensors: Any) -> Any:
        """Logits where the first token of each answer stands: shape (batch, vocabulary), float32."""
        config = self._settings(
            max_new_tokens=1, use_cache="past_key_values" in tensors, output_logits=True, return_dict_in_generate=True
        )
        return self._model.generate(**tensors, generation_config=config).logits[0].float()

    def _generate(self, inputs: Inputs, tensors: Any) -> list[Response]:
        requests = [item.request for item in inputs.items]
        settings = requests[0].settings
        config = self._settings(max_new_tokens=settings.max_new_tokens)
        watch = nan_watch(len(requests), self._model.device)
        samplers = [gumbel_sampler(requests, self._model.device)] if settings.temperature > 0 else []
        output = self._model.generate(
            **tensors,
            generation_config=config,
            stopping_criteria=[self._stop_asked],
            logits_processor=[watch, *samplers],
        )
        if self._stopping.is_set():
            return []
        answers = output[:, tensors["input_ids"].shape[1] :].tolist()
        return self._writing.written(self._computed(inputs), answers, watch.found.tolist())

    def _settings(self, **settings: Any) -> Any:
        from transformers import GenerationConfig

        return GenerationConfig(
            eos_token_id=sorted(self._ends), pad_token_id=self._padding, do_sample=False, **settings
        )

    @property
    def _stop_asked(self) -> Callable[..., Any]:
        import torch

        def asked(input_ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((input_ids.shape[0],), self._stopping.is_set(), device=input_ids.device)

        return asked


def context_length(config: Any) -> int | None:
    """Most tokens of a prompt with its answer by the model's config (`max_position_embeddings` of its text part)."""
    text = config.get_text_config()
    length = getattr(text, "max_position_embeddings", None)
    return int(length) if isinstance(length, int) and length > 0 else None


def sees_windows(config: Any) -> bool:
    """Whether tokens see but so many before them in some layers, fewer than a prompt may have: the padding between a
    beginning and what follows it would count, from where on the first prompts that are tried may not show."""
    window, context = getattr(config.get_text_config(), "sliding_window", None), context_length(config)
    return window is not None and (context is None or window < context)


def _singles(batch: list[Loaded]) -> list[Loaded]:
    return [one for group in batch for one in group.alone()]


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".split("\n", 1)[0]


def _only_ends(model: Any, tokenizer: Any) -> tuple[frozenset[int], int]:
    """Ids of the tokens that end an answer, and of the one that fills up; the rest of the generation config is dropped.

    A checkpoint may ship sampling and repetition settings of its own; the run's settings alone are to count, and
    `generate` would take whatever they leave open from the model's config.
    """
    from transformers import GenerationConfig

    found = model.generation_config.eos_token_id
    if found is None:
        found = tokenizer.eos_token_id
    ends = frozenset(found if isinstance(found, list | tuple) else [found])
    padding = model.generation_config.pad_token_id
    padding = tokenizer.pad_token_id if padding is None else padding
    model.generation_config = GenerationConfig(eos_token_id=sorted(ends), pad_token_id=padding)
    return ends, int(padding)
