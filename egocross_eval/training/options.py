"""What a training is asked for: by the command line, an experiment or a Python caller."""

from __future__ import annotations

from pathlib import Path

import msgspec

from egocross_eval.settings import PromptSettings
from egocross_eval.training.curriculum import Curriculum
from egocross_eval.training.examples import Split


class TrainOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line, experiments and Python callers choose."""

    model: str
    data: Path | None
    """Data root, several as `DataSource.root` has them; None: the environment's."""
    output: Path
    questions_file: Path | None = None
    domains: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    """Names of tasks that examples must belong to; all where empty."""
    recipe: str = "lora"
    changes: tuple[str, ...] = ()
    """`key=value` pairs, as of `--set`."""
    prompt: PromptSettings = PromptSettings()
    """How questions are shown; without a pixel budget, the recipe's `image_max_pixels` is it."""
    split: Split = Split()
    drop_wrong_clips: bool = False
    limit: int | None = None
    curriculum: Curriculum = Curriculum()
    gpus: int | None = None
    """GPUs of each node; None: the recipe's number, 0: the CPU."""
    deepspeed: str | None = None
    nodes: int = 1
    rank: int = 0
    address: str | None = None
    """Host and port of node 0; with several nodes it must be given."""
