"""Recipes: LLaMA-Factory arguments in YAML files of the package, the user's changes, and where they are launched."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from egocross_eval.documents import read_yaml
from egocross_eval.errors import UsageError, unknown

RECIPES = Path(__file__).parent / "recipes"
"""One YAML file a recipe."""

Zero = Literal["none", "zero2", "zero3", "zero2-offload", "zero3-offload"]


class Launch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On what a training runs."""

    gpus: int = 1
    """GPUs of each node; 0: the CPU."""
    deepspeed: Zero = "none"
    nodes: int = 1
    rank: int = 0
    """Number of this node, from 0."""
    address: str = "127.0.0.1:29500"
    """Host and port of node 0, where the nodes meet."""

    @property
    def workers(self) -> int:
        """Processes in all, one a GPU."""
        return max(1, self.gpus) * self.nodes

    @property
    def distributed(self) -> bool:
        """Whether torchrun starts it: several processes, or DeepSpeed, which asks for it even with one."""
        return self.workers > 1 or self.deepspeed != "none"


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a recipe file holds."""

    description: str
    arguments: dict[str, Any]
    launch: Launch = Launch()
    deviations: list[str] = []
    """Where it leaves the published values, and why."""
    name: str = ""

    def number(self, key: str, default: float) -> float:
        """An argument as a number."""
        return float(self.arguments.get(key, default))


def recipe_names() -> list[str]:
    """The recipes of the package, sorted."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def load_recipe(name: str) -> Recipe:
    """A recipe of the package, or of a YAML file. Raises `UsageError` for an unknown name or a malformed file."""
    path = Path(name)
    if not name.endswith((".yaml", ".yml")):
        if name not in recipe_names():
            raise unknown("recipe", name, recipe_names())
        path = RECIPES / f"{name}.yaml"
    recipe = msgspec.structs.replace(read_yaml(path, Recipe, what="recipe"), name=path.stem)
    if recipe.launch != Launch(gpus=recipe.launch.gpus, deepspeed=recipe.launch.deepspeed):
        raise UsageError(f"recipe {path}: launch has gpus and deepspeed; machines are named by --nodes and --address")
    return recipe


def with_changes(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """The recipe with some arguments changed; whole numbers written as 8.0 become 8."""
    arguments = {**recipe.arguments, **changes}
    whole = {
        key: int(value)
        if isinstance(value, float) and value.is_integer() and abs(value) >= 1 and key not in _REAL
        else value
        for key, value in arguments.items()
    }
    return msgspec.structs.replace(recipe, arguments=whole)


_REAL = frozenset({"num_train_epochs", "learning_rate", "warmup_ratio", "weight_decay", "lora_dropout", "val_size"})
