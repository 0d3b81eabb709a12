"""The barest loop over an asynchronous engine: opens frames in a thread pool, submits prompts, writes nothing."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

NUMBERS = itertools.count()
"""Names of requests, unique within a process."""


class BarePrompt(msgspec.Struct, frozen=True):
    """A rendered prompt and where its frames are."""

    text: str
    paths: list[str]


def opened(prompt: BarePrompt) -> dict[str, Any]:
    """The prompt as the engine takes it, with its frames decoded."""
    from PIL import Image

    images = []
    for path in prompt.paths:
        with Image.open(path) as image:
            images.append(image.convert("RGB"))
    return {"prompt": prompt.text, "multi_modal_data": {"image": images}}


async def bare_loop(
    engine: Any, prompts: list[Any], ready: Callable[[Any], dict[str, Any]], sampling: Any, *, threads: int, bound: int
) -> list[int]:
    """Makes each prompt ready in a thread and asks it, at most `bound` at once.

    Returns for each how many of its tokens the engine had in its prefix cache.
    """
    loop = asyncio.get_running_loop()
    room = asyncio.Semaphore(bound)

    async def ask(prompt: Any) -> int:
        async with room:
            asked = await loop.run_in_executor(pool, ready, prompt)
            async for output in engine.generate(asked, sampling, f"bare-{next(NUMBERS)}"):
                cached = output.num_cached_tokens
            assert output.finished
            return int(cached)

    with ThreadPoolExecutor(threads) as pool:
        return await asyncio.gather(*(ask(prompt) for prompt in prompts))
