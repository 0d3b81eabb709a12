"""The least a client can do: read the frames, put them into base64, send, read the reply. Nothing is checked or kept.

    python thin_client.py ROOT URL CONNECTIONS once|pairwise

The yardstick for `run.py`.
"""

import asyncio
import itertools
import json
import pathlib
import sys
from collections.abc import Iterator

import aiohttp
import pybase64


def frames(root: pathlib.Path, question: dict) -> bytes:
    pieces = [b'{"model":"bench","messages":[{"role":"user","content":[']
    for path in question["video_path"]:
        mime = b"png" if path.endswith(".png") else b"jpeg"
        frame = pybase64.b64encode((root / path.lstrip("/")).read_bytes())
        pieces += [b'{"type":"image_url","image_url":{"url":"data:image/', mime, b";base64,", frame, b'"}},']
    return b"".join(pieces)


def texts(question: dict, method: str) -> list[str]:
    """What is asked behind the frames: the question, or each two options in both orders."""
    asked, options = question["question_text"], question["options"]
    if method == "once":
        return [asked + "\n" + "\n".join(options)]
    words = "Which of these two answers fits better? Reply with one letter only: A or B."
    pairs = itertools.permutations(dict.fromkeys(option[3:] for option in options), 2)
    return [f"Question: {asked}\n{words}\nA: {one}\nB: {other}" for one, other in pairs]


def bodies(root: pathlib.Path, questions: list[dict], method: str) -> Iterator[bytes]:
    """The frames of a question are read and encoded once, however often it's asked."""
    for question in questions:
        begin = frames(root, question)
        for text in texts(question, method):
            end = b'{"type":"text","text":%s}]}],"max_tokens":1024,"temperature":0}' % json.dumps(text).encode()
            yield begin + end


async def main(root: pathlib.Path, url: str, connections: int, method: str) -> None:
    names = ("egocross_testbed/egocross_testbed_imgs.json", "egocross_testbed_imgs.json")
    file = next(root / name for name in names if (root / name).is_file())
    waiting = bodies(root, json.loads(file.read_bytes()), method)
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections), headers=headers) as session:

        async def worker() -> None:
            for body in waiting:
                async with session.post(url + "/chat/completions", data=body) as response:
                    json.loads(await response.read())

        await asyncio.gather(*(worker() for _ in range(connections)))


if __name__ == "__main__":
    asyncio.run(main(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]))
