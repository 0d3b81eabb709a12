"""What identifies a model on vLLM and what a run's record says of it, in process and served alike."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.model_adapters.hf.identity import folder_hash, tensors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egocross_eval.model_adapters.hf.checkpoint import Checkpoint
    from egocross_eval.model_adapters.vllm.lora import Lora


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides the answers besides the request."""

    scheme: str
    checkpoint: Checkpoint
    lora: Lora | None
    engine_options: Mapping[str, str]
    version: tuple[str, str] | None
    """(distribution, version) of vLLM."""

    def fingerprint(self) -> str:
        """Hash of the checkpoint's files (or its commit on the Hub), the adapter's, the options and vLLM's version.

        Of large files only parts are read, see `hf.identity.folder_hash`.
        """
        folder = self.checkpoint.folder
        weights = folder_hash(folder) if folder is not None else self.checkpoint.commit
        if weights is None:
            raise UsageError(f"{self.checkpoint.spec}: it has no config.json, so it is no model checkpoint")
        lora = folder_hash(self.lora.folder) if self.lora is not None else None
        parts = [self.scheme, weights, lora, sorted(self.engine_options.items()), self.version]
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()

    def details(self) -> dict[str, Any]:
        """Architecture, number of parameters, options and versions."""
        config = self.checkpoint.config
        details: dict[str, Any] = {
            "architecture": next(iter(config.get("architectures") or []), config.get("model_type")),
            "engine_options": dict(self.engine_options),
            "versions": dict([self.version]) if self.version else {},
        }
        folder = self.checkpoint.folder
        counted = tensors(folder) if folder is not None else None
        if counted is not None:
            details |= {"parameters": counted.parameters, "stored_dtypes": list(counted.dtypes)}
        if self.checkpoint.commit is not None:
            details["commit"] = self.checkpoint.commit
        if self.lora is not None:
            details |= {"lora": str(self.lora.folder), "lora_rank": self.lora.rank}
        return details
