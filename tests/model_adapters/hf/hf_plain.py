"""A plain loop over questions, as the documentation of transformers writes it: nothing of the `hf` adapter is used."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hf_requests import OPTIONS

from egocross_eval.schema import ImagePart, Request, VideoPart

if TYPE_CHECKING:
    from pathlib import Path


def plain_inputs(processor: Any, request: Request) -> Any:
    """What the processor makes of one question, its frames opened and passed on as they are."""
    from PIL import Image

    messages: list[dict[str, Any]] = []
    videos: list[list[Any]] = []
    metadata: list[dict[str, Any]] = []
    for message in request.prompt.messages:
        content: list[dict[str, Any]] = []
        for part in message.parts:
            if isinstance(part, ImagePart):
                content.append({"type": "image", "image": Image.open(part.path).convert("RGB")})
            elif isinstance(part, VideoPart):
                content.append({"type": "video"})
                videos.append([Image.open(path).convert("RGB") for path in part.paths])
                entry = {"fps": part.fps, "frames_indices": list(part.indices)}
                metadata.append(entry | {"total_num_frames": part.indices[-1] + 1})
            else:
                content.append({"type": "text", "text": part.text})
        messages.append({"role": message.role, "content": content})
    if videos:
        text = processor.apply_chat_template(messages, add_generation_prompt=True)
        options = {"video_metadata": metadata, "do_sample_frames": False}
        return processor(text=[text], videos=videos, videos_kwargs=options, return_tensors="pt")
    return processor.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )


class PlainLoop:
    """Answers one question after the other."""

    def __init__(self, checkpoint: Path) -> None:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        self.processor = AutoProcessor.from_pretrained(checkpoint)
        self.model = AutoModelForImageTextToText.from_pretrained(checkpoint).eval()

    def scores(self, request: Request) -> dict[str, float]:
        import torch

        with torch.inference_mode():
            logits = self.model(**plain_inputs(self.processor, request)).logits[0, -1].float()
        chances = torch.softmax(logits, dim=-1)
        vocabulary = self.processor.tokenizer.get_vocab()
        forms = {letter: [form for form in (letter, f"Ġ{letter}") if form in vocabulary] for letter in OPTIONS}
        return {
            letter: math.log(sum(float(chances[vocabulary[form]]) for form in present))
            for letter, present in forms.items()
        }

    def text(self, request: Request) -> str:
        import torch

        inputs = plain_inputs(self.processor, request)
        with torch.inference_mode():
            output = self.model.generate(**inputs, max_new_tokens=request.settings.max_new_tokens, do_sample=False)
        start = inputs["input_ids"].shape[1]
        text: str = self.processor.decode(output[0][start:], skip_special_tokens=True)
        return text
