"""What the tests of vLLM share: a benchmark with two questions that can't be answered, and adapters kept open."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from egocross_eval.contracts.model import Capabilities, ModelAdapter
from egocross_eval.schema import Request, Response

CONTEXT = 4096
"""Most tokens of a prompt and its answer in these tests."""

EAGER = f"max_model_len={CONTEXT},enforce_eager=true,dtype=float32"
"""Engine options of the tests: compiling takes longer than all that is asked, and vLLM alone would round the
checkpoint's float32 weights to 16 bits."""

RANK = 8
"""Of the LoRA adapter."""

MEDIA = r'limit_mm_per_prompt={"image":999\,"video":1}'
"""Both kinds on one engine; a run alone has one."""

CORRUPT, TOO_LONG = 2, 3
"""Ids of the questions with a cut-off frame and with more words than the context holds."""

FAILING = 2


def spoiled(demo: Path, root: Path) -> Path:
    """A copy of the demo benchmark in which two questions can't be answered."""
    shutil.copytree(demo, root)
    path = root / "egocross_testbed" / "egocross_testbed_imgs.json"
    questions = json.loads(path.read_text(encoding="utf-8"))
    for question in questions:
        if question["id"] == CORRUPT:
            frame = root / question["video_path"][0].lstrip("/")
            frame.write_bytes(frame.read_bytes()[:300])
        if question["id"] == TOO_LONG:
            question["question_text"] += " word" * CONTEXT
    path.write_text(json.dumps(questions), encoding="utf-8")
    return root


class KeptOpen(ModelAdapter):
    """An adapter whose engine outlives a run, as starting one takes long."""

    def __init__(self, inner: ModelAdapter) -> None:
        self.inner = inner

    def capabilities(self) -> Capabilities:
        return self.inner.capabilities()

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        return self.inner.generate(requests)

    def fingerprint(self) -> str | None:
        return self.inner.fingerprint()
