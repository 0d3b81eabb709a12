"""What `hf:` is measured against: one question after the other, as evaluation scripts usually have it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from egocross_eval.schema import ImagePart, TextPart

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from egocross_eval.schema import Request


class QuestionLoop:
    """Frames opened in line, the processor called for each question, `generate` with a batch of one."""

    def __init__(self, checkpoint: Path, max_pixels: int | None) -> None:
        import torch
        from transformers import AutoModelForImageTextToText, AutoProcessor

        self.processor = AutoProcessor.from_pretrained(checkpoint)
        if max_pixels is not None:
            size = self.processor.image_processor.size
            limits = {"longest_edge": min(size["longest_edge"], max_pixels)}
            limits["shortest_edge"] = min(size["shortest_edge"], max_pixels)
            self.processor.image_processor.size = limits
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = AutoModelForImageTextToText.from_pretrained(checkpoint, dtype="auto").to(device).eval()

    def run(self, requests: Iterator[Request]) -> Iterator[tuple[str, str]]:
        """(key, output) of each question."""
        import torch
        from PIL import Image

        for request in requests:
            messages = []
            for message in request.prompt.messages:
                content: list[dict[str, Any]] = []
                for part in message.parts:
                    if isinstance(part, ImagePart):
                        content.append({"type": "image", "image": Image.open(part.path).convert("RGB")})
                    elif isinstance(part, TextPart):
                        content.append({"type": "text", "text": part.text})
                messages.append({"role": message.role, "content": content})
            inputs = self.processor.apply_chat_template(
                messages, tokenize=True, add_generation_prompt=True, return_dict=True, return_tensors="pt"
            ).to(self.model.device)
            with torch.no_grad():
                ids = self.model.generate(**inputs, max_new_tokens=request.settings.max_new_tokens, do_sample=False)
            trimmed = [row[len(start) :] for start, row in zip(inputs.input_ids, ids, strict=True)]
            text = self.processor.batch_decode(trimmed, skip_special_tokens=True)[0]
            re.search(r"[A-D]", text)
            yield request.key, text
