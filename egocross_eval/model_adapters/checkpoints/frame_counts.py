"""How many tokens and pixels of a frame a model sees, known before the frame is decoded."""

from __future__ import annotations

import copy
import functools
import statistics
import threading
from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from egocross_eval.model_adapters.checkpoints.scaling import Size, patch_rule

if TYPE_CHECKING:
    from collections.abc import Mapping

GUESSED_TOKENS = 576
"""Tokens assumed for a frame where the processor can't say how many it will make of it: LLaVA-1.5's number."""

MARK_TOKENS = 9
"""Tokens of the time and the two markers beside frames of a video (`<12.0 seconds>`), where the processor can't say."""

MOST_TRIED = 4
"""Frames of a blank video that a processor is asked with: each further one takes as much."""

MOST_PICTURES = 3
"""Blank pictures that a processor is asked with: some cut a lone one into tiles and leave several whole, and marks of
neighbours may melt into one token."""

MELTED = 2
"""Tokens of a picture's marks that may become one with a neighbour's."""

BLANK_RATE = 1.0
"""Frames a second of a blank video."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a model sees of a picture or a video."""

    tokens: int
    """Markers included; they stand in place of the placeholder in the prompt's own text."""
    pixels: int
    """Of all its tiles or frames, padding included."""
    values: int = 0
    """Numbers that the processor makes of it; 0 where it wasn't asked."""
    exact: bool = True


class FrameCounts:
    """What a processor makes of frames. All methods may be called from several threads.

    Of a processor without a rule of ours it's what the processor itself makes of a blank picture of that size: what it
    says of its own counts leaves out markers, and whether there are several pictures.
    """

    def __init__(
        self, processor: Any, settings: Mapping[str, Any] = MappingProxyType({}), *, together: bool = True
    ) -> None:
        """`settings`: what the processor's parts are told at every call; `together`: whether it gets all pictures of a
        prompt in one call, or each by itself."""
        self._processor = processor
        self._settings = settings
        self._together = together
        self.image_rule = patch_rule(getattr(processor, "image_processor", None))
        """How single frames are scaled, where that is known."""
        self.clip_rule = patch_rule(getattr(processor, "video_processor", None))
        """How the frames of a video are scaled, where that is known."""
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._frames: Counter[tuple[int, int]] = Counter()

    @property
    def frames_per_patch(self) -> int:
        """How many frames of a video a model sees at once: of fewer, a video can't be made."""
        video = getattr(self._processor, "video_processor", None)
        return getattr(video, "temporal_patch_size", None) or 1

    def images(self, sizes: list[Size]) -> list[Seen]:
        """What is seen of each image of a prompt, in the sizes in which the processor gets them."""
        several = min(len(sizes), MOST_PICTURES) if self._together else 1
        found = [self._image(size, several) for size in sizes]
        self._note([(one.pixels, one.tokens) for one in found])
        return found

    def clip(self, size: Size, count: int) -> Seen:
        """What is seen of a video of `count` frames of a size, about."""
        found = self._clip(size, count)
        self._note([(round(found.pixels / count), round(found.tokens / count))] * count)
        return found

    def told_apart(self, size: Size) -> tuple[int, int] | None:
        """Tokens of a picture by itself and among several, where the processor makes something else of it there; None
        where it doesn't, but for marks that melt."""
        if self.image_rule is not None:
            return None
        try:
            alone, among = (self._asked_of_images(size, several).tokens for several in (1, MOST_PICTURES))
        except Exception:
            return None
        return (alone, among) if abs(alone - among) > MELTED else None

    def medians(self) -> dict[str, int]:
        """Medians over the frames so far, `frame_pixels` and `frame_tokens`; empty before the first."""
        with self._lock:
            seen = list(self._frames.elements())
        if not seen:
            return {}
        pixels, tokens = (round(statistics.median(values)) for values in zip(*seen, strict=True))
        return {"frame_pixels": pixels, "frame_tokens": tokens}

    def part_settings(self, part: str) -> dict[str, Any]:
        """What the processor's part `image_processor` or `video_processor` is told at every call.

        Also where it has the same as its own setting: some processors have defaults that win over their parts'.
        """
        there = getattr(self._processor, part, None)
        return {name: value for name, value in self._settings.items() if hasattr(there, name)}

    def _note(self, frames: list[tuple[int, int]]) -> None:
        with self._lock:
            self._frames.update(frames)

    def _image(self, size: Size, several: int) -> Seen:
        if self.image_rule is not None:
            return Seen(tokens=self.image_rule.tokens(size), pixels=size[0] * size[1])
        try:
            return self._asked_of_images(size, several)
        except Exception:  # only an estimate; whatever a processor raises, there is a guess
            return Seen(tokens=GUESSED_TOKENS, pixels=size[0] * size[1], exact=False)

    def _clip(self, size: Size, count: int) -> Seen:
        rule = self.clip_rule
        if rule is not None:
            marks = self._marks * -(-count // rule.frames_per_patch)
            return Seen(tokens=rule.tokens(size, count) + marks, pixels=count * size[0] * size[1], exact=False)
        try:
            found = self._asked_of_clip(size, min(count, MOST_TRIED))
            if count <= MOST_TRIED:
                return msgspec.structs.replace(found, exact=False)
            half = self._asked_of_clip(size, MOST_TRIED // 2)
        except Exception:
            return Seen(tokens=GUESSED_TOKENS * count, pixels=count * size[0] * size[1], exact=False)
        more = max(0, -(-(found.tokens - half.tokens) // (MOST_TRIED - MOST_TRIED // 2)))
        return Seen(
            tokens=found.tokens + more * (count - MOST_TRIED),
            pixels=found.pixels * count // MOST_TRIED,
            values=found.values * count // MOST_TRIED,
            exact=False,
        )

    @functools.cached_property
    def _marks(self) -> int:
        """Tokens beside those of the frames themselves, for each patch in time of a video."""
        rule = self.clip_rule
        assert rule is not None
        smallest = (rule.factor, rule.factor)
        try:
            shorter, longer = (
                self._asked_of_clip(smallest, count * rule.frames_per_patch).tokens - rule.tokens(smallest, 2) * count
                for count in (1, 2)
            )
        except Exception:
            return MARK_TOKENS
        return longer - shorter

    @functools.lru_cache(maxsize=1024)  # noqa: B019 - lives as long as the adapter that owns it
    def _asked_of_images(self, size: Size, several: int) -> Seen:
        """Of one picture, alone or among several alike."""
        from PIL import Image

        pictures = [Image.new("RGB", (size[1], size[0]))] * several
        mark = self._own.image_token * several
        found = self._asked(mark, images=[pictures], images_kwargs=self.part_settings("image_processor"))
        twice = getattr(self._own.image_processor, "temporal_patch_size", None) or 1  # patches hold a picture so often
        return Seen(
            tokens=-(-found.tokens // several),
            pixels=found.pixels // several // twice,
            values=found.values // several,
            exact=self._together and found.tokens % several == 0,
        )

    @functools.lru_cache(maxsize=1024)  # noqa: B019
    def _asked_of_clip(self, size: Size, count: int) -> Seen:
        import torch

        clip = torch.zeros((count, 3, *size), dtype=torch.uint8)
        told = {
            "video_metadata": [clip_metadata(size, BLANK_RATE, range(count))],
            "do_sample_frames": False,
            **({} if self.clip_rule is None else {"do_resize": False}),
            **self.part_settings("video_processor"),
        }
        return self._asked(self._own.video_token, videos=[clip], videos_kwargs=told)

    def _asked(self, text: str, **media: Any) -> Seen:
        with self._asking:
            made = self._own(text=[text], return_tensors="pt", **media)
            empty = len(self._own.tokenizer("")["input_ids"])
        values = next(tensor for name, tensor in made.items() if name.startswith("pixel_values"))
        return Seen(tokens=made["input_ids"].shape[1] - empty, pixels=values.numel() // 3, values=values.numel())

    @functools.cached_property
    def _own(self) -> Any:
        """A processor of its own, as processors keep state during a call."""
        return copy.deepcopy(self._processor)


def clip_metadata(size: Size, rate: float, indices: range | tuple[int, ...]) -> dict[str, Any]:
    """What transformers calls video metadata, so that it gives the frames their true times.

    Qwen3-VL writes `indices[k] / fps` beside the frames. Qwen2.5-VL spaces frames evenly, at the rate of count / total
    x fps, so the total is chosen to give the mean rate of the clip.
    """
    count = len(indices)
    span = indices[-1] - indices[0]
    total = round(span * count / (count - 1)) if count > 1 and span > 0 else count
    return {
        "fps": rate,
        "frames_indices": list(indices),
        "total_num_frames": total,
        "duration": total / rate,
        "height": size[0],
        "width": size[1],
    }
