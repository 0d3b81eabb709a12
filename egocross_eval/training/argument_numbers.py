"""Numbers that no training can have. LLaMA-Factory takes most of them, and fails later or learns nothing."""

from __future__ import annotations

import math
from typing import NamedTuple

from egocross_eval.documents import cited
from egocross_eval.errors import UsageError


class Range(NamedTuple):
    """What a number may be."""

    least: float
    most: float = math.inf
    without_least: bool = False
    without_most: bool = False
    also: float | None = None
    """A number outside that stands for none."""

    def holds(self, number: float) -> bool:
        """Whether the number is one of them."""
        low = number > self.least or (number == self.least and not self.without_least)
        high = number < self.most or (number == self.most and not self.without_most)
        return number == self.also or (low and high)

    def __str__(self) -> str:
        """In words."""
        low = f"{'above' if self.without_least else 'from'} {self.least:.12g}"
        high = "" if self.most == math.inf else f" {'below' if self.without_most else 'up to'} {self.most:.12g}"
        return low + high + ("" if self.also is None else f", or {self.also:g} for none")


LARGEST = 2**32 - 1
"""Larger ones fit none of the trainer's own types, and what is computed of them is no number any more."""

_COUNTS = """
    apollo_rank apollo_update_interval badam_switch_interval cutoff_len dataloader_prefetch_factor ddp_bucket_cap_mb
    ddp_timeout early_stopping_steps eval_accumulation_steps galore_rank galore_update_interval
    gradient_accumulation_steps image_max_pixels image_min_pixels lora_alpha lora_rank max_samples
    per_device_eval_batch_size per_device_train_batch_size preprocessing_batch_size preprocessing_num_workers
    quantization_bit torch_empty_cache_steps video_max_pixels video_maxlen video_min_pixels
"""
_STEPS = ("eval_steps", "logging_steps", "save_steps")
"""Whole numbers of steps, or shares of all steps below 1."""
_POSITIVE = ("apollo_scale", "galore_scale", "learning_rate", "loraplus_lr_embedding", "loraplus_lr_ratio", "video_fps")
_NOT_NEGATIVE = """
    adam_epsilon dataloader_num_workers max_grad_norm neftune_noise_alpha save_total_limit warmup_steps weight_decay
"""
_SHARES = ("badam_update_ratio", "val_size", "warmup_ratio")
_SHARES_BELOW_1 = ("adam_beta1", "adam_beta2", "label_smoothing_factor", "lora_dropout", "module_dropout")

RANGES: dict[str, Range] = {
    **dict.fromkeys(_COUNTS.split(), Range(1)),
    **dict.fromkeys((*_STEPS, *_POSITIVE), Range(0, without_least=True)),
    **dict.fromkeys(_NOT_NEGATIVE.split(), Range(0)),
    **dict.fromkeys(_SHARES, Range(0, 1)),
    **dict.fromkeys(_SHARES_BELOW_1, Range(0, 1, without_most=True)),
    **dict.fromkeys(("data_seed", "seed"), Range(0, LARGEST)),
    "max_steps": Range(1, also=-1),
    "num_train_epochs": Range(0, 1e6, without_least=True),
}
"""By argument; those that aren't here may be any finite number."""

_NEVER_NULL = """
    adam_beta1 adam_beta2 adam_epsilon cutoff_len dataloader_num_workers ddp_timeout gradient_accumulation_steps
    image_max_pixels image_min_pixels learning_rate logging_steps lora_dropout lora_rank max_grad_norm max_steps
    num_train_epochs per_device_eval_batch_size per_device_train_batch_size save_steps seed warmup_steps weight_decay"""
NEVER_NULL = frozenset(_NEVER_NULL.split())
"""Those for which LLaMA-Factory has a number where none is given; `null` isn't that."""

_INSTEAD = {
    "image_max_pixels": "--max-pixels N is the same",
    "eval_steps": "nothing is evaluated while training",
    "logging_steps": "to log nothing: logging_strategy=no",
    "lora_rank": "to train without an adapter: --recipe full",
    "save_steps": "to write no checkpoints: save_strategy=no",
}


def check_number(name: str, number: float, kind: str, source: str) -> None:
    """Raises `UsageError` where the argument `name`, in words a `kind` of number, can't have this value."""
    allowed = RANGES.get(name) or Range(-LARGEST)
    if abs(number) <= LARGEST and allowed.holds(number):  # neither is true of NaN
        if name in _STEPS and number > 1 and not float(number).is_integer():
            raise UsageError(f"{source}: {name}={number} must be a whole number, or a share of all steps below 1")
        return
    if allowed.most == math.inf and (number > LARGEST or name not in RANGES):
        allowed = allowed._replace(most=LARGEST)
    instead = f"; {_INSTEAD[name]}" if name in _INSTEAD else ""
    raise UsageError(f"{source}: {name}={cited(number)} must be {kind} {allowed}{instead}")
