"""Prepares requests away from the model: renders the text, estimates the length, decodes and scales the frames."""

from __future__ import annotations

import copy
import threading
from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.frames.pictures import FrameError
from egocross_eval.model_adapters.checkpoints.chat import check_thinking, render
from egocross_eval.model_adapters.checkpoints.decoding import (
    FrameCache,
    read_frame,
    read_size,
    read_tensor,
    scaled_tensor,
    shrunk_image,
)
from egocross_eval.model_adapters.checkpoints.frame_counts import FrameCounts, Seen, clip_metadata
from egocross_eval.model_adapters.checkpoints.label_tokens import LabelError, LabelTokens
from egocross_eval.model_adapters.checkpoints.scaling import PatchRule, Size, shrunk
from egocross_eval.model_adapters.requests import choices, failed
from egocross_eval.schema import ImagePart, Request, Response, VideoPart
from egocross_eval.settings import AnswerMode


class PlannedFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A frame still to be decoded."""

    path: str
    key: str
    """Content hash, or the path where there is none."""
    size: Size
    """(height, width) it will have."""
    exact: bool
    """True where `size` is what the model sees; False where the processor scales again."""


class PlannedClip(msgspec.Struct, frozen=True, kw_only=True):
    """A video still to be decoded."""

    frames: tuple[PlannedFrame, ...]
    fps: float
    indices: tuple[int, ...]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is ready to be put into a batch."""

    request: Request
    text: str
    images: tuple[PlannedFrame, ...]
    clips: tuple[PlannedClip, ...]
    tokens: int
    """Estimated length of the prompt: exact with images, but for processors that can't be asked."""
    values: int = 0
    """Numbers that the processor makes of its frames; 0 where frames are scaled before."""
    ids: tuple[int, ...]
    """Tokens of the text, with a placeholder for each frame or clip."""
    kind: Hashable
    """Requests of equal kind can be answered together."""
    labels: dict[str, tuple[int, ...]] = {}
    """Ids of the tokens by which an answer can be each label, where such are compared."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What several questions' prompts begin with: the same examples before each."""

    size: int
    """Tokens, counted as in `Item.ids`."""
    images: int
    """Frames among them."""
    text: str
    """What all the prompts' texts begin with, maybe beyond."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """An item with its frames in memory."""

    item: Item
    images: list[Any]
    videos: list[Any]
    """Per clip, a uint8 tensor of shape (frames, 3, height, width)."""
    metadata: list[dict[str, Any]]
    """Per clip, what transformers calls video metadata: rate, frame numbers, total."""
    others: tuple[Item, ...] = ()
    """Further items that show the same frames and begin alike."""
    shared: int = 0
    """How many of their `ids` all begin with, where there are others."""
    opening: Opening | None = None
    """Where other prompts begin so too."""

    @property
    def items(self) -> tuple[Item, ...]:
        """All items, this one's first."""
        return (self.item, *self.others)

    def alone(self) -> list[Loaded]:
        """Each item by itself."""
        return [msgspec.structs.replace(self, item=item, others=(), shared=0) for item in self.items]


class Preparer:
    """Plans and loads requests for one processor. All methods may be called from several threads."""

    def __init__(
        self,
        processor: Any,
        context: int | None,
        *,
        by_first_token: tuple[AnswerMode, ...] = ("choose", "constrained"),
        template: Mapping[str, Any] = MappingProxyType({}),
        settings: Mapping[str, Any] = MappingProxyType({}),
        together: bool = True,
    ) -> None:
        """`by_first_token`: answer modes in which the engine tells labels apart by an answer's first token; `template`:
        what the chat template is told beside the messages; `settings`: what the processor's parts are told;
        `together`: whether the engine gives the processor all pictures of a prompt at once."""
        self.processor = processor
        self.context = context
        """Most tokens of a prompt with its answer; None where it isn't known."""
        self._by_first_token = by_first_token
        self._template = template
        self._counts = FrameCounts(processor, settings, together=together)
        # Tokenizers keep state during a call: this copy is for counting, the processor's own for batches.
        self._tokenizer = copy.deepcopy(processor.tokenizer)
        self._label_tokens = LabelTokens(self._tokenizer)
        self._lock = threading.Lock()
        self._frames = FrameCache()

    def frames_seen(self) -> dict[str, int]:
        """Medians over the frames planned so far: `frame_pixels` as the model sees them, tiles and padding included,
        and `frame_tokens`. Empty before the first."""
        return self._counts.medians()

    @property
    def counts(self) -> FrameCounts:
        """What the processor makes of frames."""
        return self._counts

    def part_settings(self, part: str) -> dict[str, Any]:
        """What the processor's part `image_processor` or `video_processor` is told at every call."""
        return self._counts.part_settings(part)

    @property
    def placeholder(self) -> int | None:
        """The token that stands for a frame in `Item.ids`; None where the processor names none."""
        found = getattr(self.processor, "image_token_id", None)
        return found if isinstance(found, int) else None

    @property
    def image_rule(self) -> PatchRule | None:
        """How single frames are scaled, where that is known."""
        return self._counts.image_rule

    @property
    def clip_rule(self) -> PatchRule | None:
        """How the frames of a video are scaled, where that is known."""
        return self._counts.clip_rule

    def plan(self, request: Request) -> Item | Response:
        """The request with its text and the sizes of its frames, or the response that says why it can't be asked."""
        try:
            return self._plan(request)
        except FrameError as error:
            return failed(request, "frame", str(error))
        except LabelError as error:
            return failed(request, "labels", str(error))

    def load(self, item: Item) -> Loaded | Response:
        """Decodes and scales the frames of a planned request; a failure where one can't be decoded."""
        try:
            return Loaded(
                item=item,
                images=[self._load_image(frame) for frame in item.images],
                videos=[self._load_clip(clip) for clip in item.clips],
                metadata=[clip_metadata(clip.frames[0].size, clip.fps, clip.indices) for clip in item.clips],
            )
        except FrameError as error:
            return failed(item.request, "frame", str(error))

    def _plan(self, request: Request) -> Item | Response:
        text = render(self.processor, request.prompt, self._template)
        mode = request.settings.answer_mode
        check_thinking(text, request.settings)
        if mode != "generate" and not choices(request):
            raise LabelError("the question has no options to choose among; use --answer generate")
        with self._lock:
            ids = tuple(self._tokenizer(text)["input_ids"])
            labels = self._label_tokens.of(text, choices(request)) if mode in self._by_first_token else {}
        seen: list[Seen] = []
        images: list[PlannedFrame] = []
        clips: list[PlannedClip] = []
        keys = iter(request.frame_hashes or request.prompt.frame_paths())
        budget = request.prompt.max_pixels
        for part in (part for message in request.prompt.messages for part in message.parts):
            if isinstance(part, ImagePart):
                images.append(self._plan_image(part.path, next(keys), budget))
            elif isinstance(part, VideoPart):
                clips.append(self._plan_clip(part, [next(keys) for _ in part.paths], budget))
                seen.append(self._counts.clip(clips[-1].frames[0].size, len(clips[-1].frames)))
        seen += self._counts.images([image.size for image in images])
        tokens = len(ids) + sum(one.tokens - 1 for one in seen)
        if all(one.exact for one in seen) and self.context is not None and tokens > self.context - 1:
            return too_long(request, tokens, self.context)
        return Item(
            request=request,
            text=text,
            images=tuple(images),
            clips=tuple(clips),
            tokens=tokens,
            values=sum(one.values for one in seen),
            ids=ids,
            kind=self._kind(request, images, clips),
            labels=labels,
        )

    def _kind(self, request: Request, images: list[PlannedFrame], clips: list[PlannedClip]) -> Hashable:
        """Requests share a batch if their settings agree (their seeds needn't) and they show the same sort of media."""
        settings = request.settings
        # Processors without a rule of their own here stack videos, which only works for equal numbers of frames.
        lengths = tuple(len(clip.frames) for clip in clips) if self.clip_rule is None else bool(clips)
        asked = (settings.answer_mode, settings.max_new_tokens, settings.temperature, settings.top_p)
        return (*asked, bool(images), lengths)

    def _plan_image(self, path: str, key: str, budget: int | None) -> PlannedFrame:
        size = read_size(path)
        rule = self.image_rule
        if rule is not None:
            return PlannedFrame(path=path, key=key, size=_sized(path, rule, size, budget), exact=True)
        size = shrunk(size, budget)
        return PlannedFrame(path=path, key=key, size=size, exact=False)

    def _plan_clip(self, part: VideoPart, keys: list[str], budget: int | None) -> PlannedClip:
        if getattr(self.processor, "video_processor", None) is None:
            raise UsageError(f"{type(self.processor).__name__} takes no videos; use --media images")
        paths, indices = list(part.paths), list(part.indices)
        rule = self.clip_rule
        repeats = self._counts.frames_per_patch - len(paths)
        if repeats > 0:
            # A model that sees pairs of frames gets a lone frame twice, as its processor repeats a last odd one.
            paths, keys, indices = [[*row, *[row[-1]] * repeats] for row in (paths, keys, indices)]
        size = read_size(paths[0])
        size = shrunk(size, budget) if rule is None else _sized(paths[0], rule, size, budget, count=len(paths))
        exact = rule is not None
        frames = tuple(PlannedFrame(path=p, key=k, size=size, exact=exact) for p, k in zip(paths, keys, strict=True))
        return PlannedClip(frames=frames, fps=part.fps, indices=tuple(indices))

    def with_own_processor(self) -> Preparer:
        """The same for another thread: processors keep state during a call."""
        other = copy.copy(self)
        other.processor = copy.deepcopy(self.processor)
        return other

    def _load_image(self, frame: PlannedFrame) -> Any:
        if self.image_rule is None:
            return shrunk_image(read_frame(frame.path), frame.size[0] * frame.size[1])
        return self._tensor(frame, self.image_rule.interpolation)

    def _load_clip(self, clip: PlannedClip) -> Any:
        import torch

        interpolation = _bicubic() if self.clip_rule is None else self.clip_rule.interpolation
        return torch.stack([self._tensor(frame, interpolation) for frame in clip.frames])

    def _tensor(self, frame: PlannedFrame, interpolation: Any) -> Any:
        def decode() -> Any:
            return scaled_tensor(read_tensor(frame.path), frame.size, interpolation)

        return self._frames.get((frame.key, frame.size, interpolation), decode, 3 * frame.size[0] * frame.size[1])


def _bicubic() -> Any:
    from torchvision.transforms.v2.functional import InterpolationMode

    return InterpolationMode.BICUBIC


def _sized(path: str, rule: PatchRule, size: Size, budget: int | None, count: int = 1) -> Size:
    try:
        return rule.frame_size(size, budget) if count == 1 else rule.clip_size(count, size, budget)
    except ValueError as error:
        raise FrameError(
            f"frame {path}: the model's processor takes no picture of {size[1]}x{size[0]}: {error}"
        ) from error


def too_long(request: Request, tokens: int, context: int) -> Response:
    """The response to a prompt that doesn't fit the model."""
    message = (
        f"the prompt has {tokens} tokens, and the model's context holds {context} with the answer; "
        f"show fewer frames (--frames uniform:N) or smaller ones (--max-pixels N); where the processor cuts frames "
        f"into tiles, processor_kwargs= may leave them whole (docs/engines.md)"
    )
    response = failed(request, "context_length", message)
    return msgspec.structs.replace(response, input_tokens=tokens)
