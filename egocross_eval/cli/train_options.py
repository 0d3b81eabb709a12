"""Options of `egocross-eval train`, and what they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from egocross_eval.command_options import F, made_of, options_of_settings
from egocross_eval.contracts.task import DataOptions
from egocross_eval.settings import PromptSettings, options_of
from egocross_eval.training.recipes import Zero

if TYPE_CHECKING:
    from egocross_eval.training.options import TrainOptions

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def data_choices(function: F) -> F:
    """Which examples are trained on, and how they are shown."""
    for decorate in (
        click.option(
            "--seed",
            type=int,
            default=0,
            show_default=True,
            help="Of the split, of --limit, of orders, and of the trainer.",
        ),
        click.option(
            "--shuffle-options",
            metavar="A:B",
            is_flag=False,
            flag_value="0:0",
            help="Options in random order; with A:B sorted up to share A of all passes, random from share B on.",
        ),
        click.option("--passes", type=int, default=1, show_default=True, help="How often each example is in the data."),
        click.option("--limit", type=int, metavar="N", help="Only N examples, drawn by the seed over all of them."),
        click.option("--drop-wrong-clips", is_flag=True, help="Leave out examples with another question's clip."),
        click.option("--fold", type=int, default=1, show_default=True, help="Which of --folds is held out."),
        click.option("--folds", type=int, default=0, help="Hold out one of K parts, split by source video."),
        click.option("--holdout", type=float, default=0.0, help="Hold out this share, split by source video."),
        options_of_settings(PromptSettings),
        click.option("--tasks", default="", metavar="NAMES", help="Only examples of these tasks, comma-separated."),
        click.option("--domain", "domains", default="all", show_default=True, help="Domains, comma-separated, or all."),
        click.option("--questions", "questions_file", type=_FILE, help="ShareGPT file; default: the support set."),
        options_of_settings(DataOptions, only=("data",)),
    ):
        function = decorate(function)
    return function


def launch_choices(function: F) -> F:
    """What is trained, by which recipe, on what."""
    for decorate in (
        click.option("--python", type=click.Path(path_type=Path), help="Interpreter that has llamafactory."),
        click.option("--address", metavar="HOST:PORT", help="Of node 0, as all nodes reach it; for several nodes."),
        click.option("--node-rank", "rank", type=int, default=0, help="Number of this node, from 0."),
        click.option("--nodes", type=int, default=1, show_default=True, help="Machines; start it on each of them."),
        click.option("--deepspeed", type=click.Choice(get_args(Zero)), help="Default: the recipe's."),
        click.option("--gpus", type=int, help="GPUs of each node, 0 for the CPU; default: the recipe's."),
        click.option(
            "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change one of LLaMA-Factory's arguments."
        ),
        click.option(
            "--recipe",
            default="lora",
            show_default=True,
            metavar="NAME|FILE.yaml",
            help="A recipe of 'egocross-eval train recipes', or a file of that form.",
        ),
        click.option(
            "--output", "-o", type=_FOLDER, required=True, help="Folder; the same command again goes on there."
        ),
        click.option("--model", "-m", required=True, metavar="BASE", help="Checkpoint folder or name on the Hub."),
    ):
        function = decorate(function)
    return function


def read_options(settings: dict[str, Any]) -> TrainOptions:
    """The options of a training from those of the command line."""
    from egocross_eval.training.curriculum import Curriculum
    from egocross_eval.training.examples import Split
    from egocross_eval.training.options import TrainOptions

    settings = dict(settings)
    seed = settings.pop("seed")
    start, end = _shares(settings.pop("shuffle_options"))
    curriculum = Curriculum(passes=settings.pop("passes"), sort_until=start, shuffle_from=end, seed=seed)
    split = Split(holdout=settings.pop("holdout"), folds=settings.pop("folds"), fold=settings.pop("fold"), seed=seed)
    prompt = made_of(PromptSettings, settings)
    for known in options_of(PromptSettings):
        del settings[known.name]
    domains = tuple(name for name in _names(settings.pop("domains")) if name != "all")
    tasks = _names(settings.pop("tasks"))
    return TrainOptions(**settings, prompt=prompt, domains=domains, tasks=tasks, split=split, curriculum=curriculum)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _shares(text: str | None) -> tuple[float, float]:
    if text is None:
        return 0.0, 0.0
    first, _, second = text.partition(":")
    try:
        start, end = float(first), float(second)
    except ValueError:
        start, end = -1.0, -1.0
    if not 0 <= start <= end <= 1:
        raise click.BadParameter("two shares from 0 to 1, the first not above the second, e.g. 0.3:0.7")
    # Random from the start: a share just above 0, as 0 means that orders are left alone.
    return start, max(end, 1e-9)
