"""How large a batch may be: an estimate from the model's shape and the free memory, put right by what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egocross_eval.model_adapters.checkpoints.preparation import Item

CPU_TOKENS = 8192
"""Batches on a CPU: larger ones gain nothing, as a core is busy with far fewer."""

MOST_TOKENS = 131_072
LEAST_TOKENS = 4096

SHARE = 0.4
"""Share of the free memory that the estimate may fill: it knows nothing of fragments or an architecture's extras."""


NEAR = 0.85
"""What is known to fit is taken for all that fits from this share on of what is known not to."""


class Grouped(Protocol):
    """One prompt, or several that are computed from a common beginning."""

    @property
    def items(self) -> tuple[Item, ...]:
        """The prompts."""

    @property
    def shared(self) -> int:
        """How many tokens of their texts all begin with; 0 for one prompt."""


class Room:
    """How large a batch may be: an estimate at first, and then what batches that did and did not fit have shown.

    The size of a batch is counted in prompt tokens, padding included. A bound that proved too large is halved between
    what fitted and what didn't until they are near each other, so that one failure costs no more than it must.
    """

    def __init__(self, most: int, cached: float = 0.0) -> None:
        """`most`: the first bound; `cached`: share of a prompt token's memory that stays as keys and values."""
        self._most = most
        self._cached = cached
        self.kept = 0
        """Tokens whose keys and values are kept beside all batches."""
        self._fits = 0
        self._fails: int | None = None

    @property
    def bound(self) -> int:
        """Largest size of a batch of several prompts."""
        if self._fails is None:
            return self._most
        known = self._fits if self._fits >= NEAR * self._fails else (self._fits + self._fails) // 2
        return max(1, min(self._most, known))

    def size(self, batch: Sequence[Grouped]) -> int:
        """The size of a batch whose prompts are all of one kind.

        Tokens that will be generated count by what they keep. Of prompts with a common beginning it's computed once,
        and its keys and values are kept for each.
        """
        longest = max(item.tokens for one in batch for item in one.items)
        rows = sum(len(one.items) for one in batch)
        settings = batch[0].items[0].request.settings
        new = settings.max_new_tokens if settings.answer_mode == "generate" else 0
        beside = self._cached * self.kept
        if not batch[0].shared:
            return round(rows * (longest + self._cached * new) + beside)
        return round(len(batch) * longest + self._cached * rows * (longest + new) + beside)

    def holds(self, batch: Sequence[Grouped]) -> bool:
        """Whether a batch is within the bound."""
        return self.size(batch) <= self.bound

    def fitted(self, batch: Sequence[Grouped]) -> None:
        """Learns from a batch that was answered."""
        size = self.size(batch)
        if self._fails is None or size < self._fails:
            self._fits = max(self._fits, size)

    def failed(self, batch: Sequence[Grouped]) -> None:
        """Learns from a batch that memory ran out at; a single prompt says nothing of how many fit."""
        if sum(len(one.items) for one in batch) == 1:
            return
        size = self.size(batch)
        self._fails = size if self._fails is None else min(self._fails, size)
        if self._fits >= self._fails:  # less fits than did before: other programs, or fragments
            self._fits = self._fails // 2


def room_of(model: Any, asked: int | Literal["auto"]) -> Room:
    """The room for batches of a loaded model on its device; `asked`: the tokens of a batch that the user wants."""
    width = model.dtype.itemsize
    cached = width * _cache_numbers(model.config) / bytes_per_token(model.config, width)
    return Room(batch_tokens(model) if asked == "auto" else asked, cached)


def batch_tokens(model: Any) -> int:
    """Most tokens of a batch, padding included, for a loaded model on its device."""
    import torch

    if model.device.type != "cuda":
        return CPU_TOKENS
    free, _ = torch.cuda.mem_get_info(model.device)
    fitting = int(SHARE * free / bytes_per_token(model.config, model.dtype.itemsize))
    return max(LEAST_TOKENS, min(MOST_TOKENS, fitting))


def bytes_per_token(config: Any, width: int) -> int:
    """Memory that a prompt's token takes during a forward pass, at `width` bytes a number.

    The key-value cache of all layers, the activations of one layer, and those of the vision tower's patches behind an
    image token (four, with a layer's activations each, and their pixels in float32).
    """
    text = config.get_text_config()
    hidden = _number(text, "hidden_size", 4096)
    layer = 12 * hidden + 3 * _number(text, "intermediate_size", 4 * hidden)
    vision = getattr(config, "vision_config", None)
    vision_hidden = _number(vision, "hidden_size", 1024)
    patches = 4 * (12 * vision_hidden + 2 * _number(vision, "intermediate_size", 4 * vision_hidden))
    return width * (_cache_numbers(config) + layer + patches) + 4 * 6144


def _cache_numbers(config: Any) -> int:
    """Keys and values of one token, in numbers."""
    text = config.get_text_config()
    heads = _number(text, "num_attention_heads", 32)
    head = _number(text, "head_dim", _number(text, "hidden_size", 4096) // heads)
    return 2 * _number(text, "num_hidden_layers", 32) * _number(text, "num_key_value_heads", heads) * head


def _number(config: Any, name: str, otherwise: int) -> int:
    value = getattr(config, name, None)
    return value if isinstance(value, int) and value > 0 else otherwise
