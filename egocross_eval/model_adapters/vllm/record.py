"""What identifies a model on vLLM and what a run's record says of it, in process and served alike."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.model_adapters.checkpoints.identity import described, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egocross_eval.model_adapters.checkpoints.checkpoint import Checkpoint
    from egocross_eval.model_adapters.checkpoints.lora import Lora


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides the answers besides the request."""

    scheme: str
    checkpoint: Checkpoint
    lora: Lora | None
    engine_options: Mapping[str, str]
    template: Mapping[str, Any] = MappingProxyType({})
    """What the chat template is told beside the messages."""
    version: tuple[str, str] | None
    """(distribution, version) of vLLM."""

    def fingerprint(self) -> str:
        """Hash of the weights, the adapter, the options and vLLM's version."""
        decisive = [sorted(self.engine_options.items()), dict(self.template), self.version]
        return fingerprint(self.checkpoint, self.lora, before=[self.scheme], after=decisive)

    def details(self) -> dict[str, Any]:
        """Architecture, number of parameters, options and versions."""
        versions = dict([self.version]) if self.version else {}
        return described(self.checkpoint, self.lora) | {
            "engine_options": dict(self.engine_options),
            **({"template_kwargs": dict(self.template)} if self.template else {}),
            "versions": versions,
        }
