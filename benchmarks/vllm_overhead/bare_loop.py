"""The barest loop over an asynchronous engine: opens frames in a thread pool, submits prompts, writes nothing."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec


class BarePrompt(msgspec.Struct, frozen=True):
    """A rendered prompt and where its frames are."""

    text: str
    paths: list[str]


def opened(path: str) -> Any:
    from PIL import Image

    with Image.open(path) as image:
        return image.convert("RGB")


async def bare_loop(engine: Any, prompts: list[BarePrompt], sampling: Any, *, threads: int, bound: int) -> int:
    """Asks all prompts, at most `bound` at once, and returns how many were answered."""
    loop = asyncio.get_running_loop()
    room = asyncio.Semaphore(bound)

    async def ask(number: int, prompt: BarePrompt) -> int:
        async with room:
            images = await asyncio.gather(*(loop.run_in_executor(pool, opened, path) for path in prompt.paths))
            asked = {"prompt": prompt.text, "multi_modal_data": {"image": images}}
            async for output in engine.generate(asked, sampling, f"bare-{number}"):
                finished = output.finished
            return int(finished)

    with ThreadPoolExecutor(threads) as pool:
        return sum(await asyncio.gather(*(ask(number, prompt) for number, prompt in enumerate(prompts))))
