"""Entry point of lmms-eval's group `lmms_eval.models`: our adapters as its model `egocross`.

Imports nothing heavy: where one entry point fails, lmms-eval takes none that come after it.
"""

from __future__ import annotations

from typing import Any


def manifests() -> list[Any]:
    """The manifest of the one model, `--model egocross --model_args spec=SCHEME:TARGET,key=value`."""
    from lmms_eval.models.registry_v2 import ModelManifest

    path = "egocross_eval.interop.lmms_eval.inner_model.EgoCrossModel"
    return [ModelManifest(model_id="egocross", chat_class_path=path, aliases=("egocross_eval",))]
