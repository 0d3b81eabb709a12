"""Empties every cache that one pass would leave for the next: the engine's and ours."""

from __future__ import annotations

from typing import Any

from egocross_eval.frames import store as frame_store
from egocross_eval.model_adapters.checkpoints.decoding import FrameCache


def forget(adapter: Any) -> None:
    """Empties the caches of frames, and those of the engine where `adapter` is a `vllm:` one that runs."""
    frame_store._hashes.clear()
    frame_store._sizes.clear()
    frame_store._kept._files.clear()
    frame_store._kept._size = 0
    preparer = vars(adapter).get("_prepared")  # there once the adapter is loaded
    if preparer is not None:
        preparer._frames = FrameCache()
    engine = getattr(adapter, "_engine", None)
    if not hasattr(engine, "_llm"):
        return

    async def reset() -> None:
        await engine._llm.reset_prefix_cache()
        await engine._llm.reset_mm_cache()
        await engine._llm.reset_encoder_cache()

    engine.loop.submit(reset()).result()
