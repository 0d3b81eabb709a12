"""The least a client can do: read the frames, put them into base64, send, read the reply. Nothing is checked or kept.

    python thin_client.py ROOT URL CONNECTIONS

The yardstick for `run.py`.
"""

import asyncio
import json
import pathlib
import sys

import aiohttp
import pybase64


def body(root: pathlib.Path, question: dict) -> bytes:
    pieces = [b'{"model":"bench","messages":[{"role":"user","content":[']
    for path in question["video_path"]:
        mime = b"png" if path.endswith(".png") else b"jpeg"
        frame = pybase64.b64encode((root / path.lstrip("/")).read_bytes())
        pieces += [b'{"type":"image_url","image_url":{"url":"data:image/', mime, b";base64,", frame, b'"}},']
    text = question["question_text"] + "\n" + "\n".join(question["options"])
    pieces.append(b'{"type":"text","text":%s}]}],"max_tokens":1024,"temperature":0}' % json.dumps(text).encode())
    return b"".join(pieces)


async def main(root: pathlib.Path, url: str, connections: int) -> None:
    names = ("egocross_testbed/egocross_testbed_imgs.json", "egocross_testbed_imgs.json")
    file = next(root / name for name in names if (root / name).is_file())
    questions = iter(json.loads(file.read_bytes()))
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections), headers=headers) as session:

        async def worker() -> None:
            for question in questions:
                async with session.post(url + "/chat/completions", data=body(root, question)) as response:
                    json.loads(await response.read())

        await asyncio.gather(*(worker() for _ in range(connections)))


if __name__ == "__main__":
    asyncio.run(main(pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
