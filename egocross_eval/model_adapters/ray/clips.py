"""Frames that travel with the questions, for nodes that don't see the data root."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.files import read_bytes
from egocross_eval.frames.store import LARGEST
from egocross_eval.model_adapters.ray.replica import Report
from egocross_eval.schema import ImagePart, Message, Request, TextPart, VideoPart

KEPT = 64
"""Clips whose frames stay in the object store, so that several batches and replicas share one copy."""

Clip = dict[str, bytes]
"""Contents of frame files by their path on the driver."""


class ClipShipper:
    """Puts the frames of clips into the object store, each clip once while it's in use."""

    def __init__(self, put: Callable[[Clip], Any]) -> None:
        self._put = put
        self._kept: OrderedDict[tuple[str, ...], Any] = OrderedDict()

    def references(self, requests: Sequence[Request]) -> list[Any]:
        """References to the clips of requests. Raises `DataError` for a frame that can't be read."""
        paths = dict.fromkeys(tuple(dict.fromkeys(request.prompt.frame_paths())) for request in requests)
        return [self._reference(clip) for clip in paths if clip]

    def _reference(self, paths: tuple[str, ...]) -> Any:
        if paths not in self._kept:
            self._kept[paths] = self._put({path: read_bytes(Path(path), limit=LARGEST) for path in paths})
        self._kept.move_to_end(paths)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return self._kept[paths]


class ClipFolder:
    """Writes the frames that come into a folder of this node, and removes those whose questions are answered."""

    def __init__(self) -> None:
        self._root: Path | None = None
        self._users: Counter[Path] = Counter()
        self._by_key: dict[str, list[Path]] = {}

    @property
    def used(self) -> bool:
        """Frames came."""
        return self._root is not None

    def take(self, requests: bytes, clips: Sequence[Clip]) -> bytes:
        """Writes the frames; the requests, whose frames lie here."""
        if self._root is None:
            self._root = Path(tempfile.mkdtemp(prefix="egocross-clips-"))
        contents = {path: data for clip in clips for path, data in clip.items()}
        moved = [self._moved(one, contents) for one in msgspec.msgpack.decode(requests, type=list[Request])]
        return msgspec.msgpack.encode(moved)

    def release(self, report: bytes) -> bytes:
        """Removes the frames of what a report answers; the report."""
        for response in msgspec.msgpack.decode(report, type=Report).responses:
            for path in self._by_key.pop(response.key, ()):
                self._users[path] -= 1
                if not self._users[path]:
                    del self._users[path]
                    path.unlink(missing_ok=True)
        return report

    def remove(self) -> None:
        """Removes all of it."""
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)

    def _moved(self, request: Request, contents: Clip) -> Request:
        assert self._root is not None
        places = {path: self._written(path, contents[path]) for path in dict.fromkeys(request.prompt.frame_paths())}
        self._by_key[request.key] = list(places.values())
        self._users.update(places.values())
        messages = tuple(_moved_message(message, places) for message in request.prompt.messages)
        prompt = msgspec.structs.replace(request.prompt, messages=messages)
        return msgspec.structs.replace(request, prompt=prompt, data_root=str(self._root))

    def _written(self, path: str, data: bytes) -> Path:
        assert self._root is not None
        place = self._root / (hashlib.sha256(path.encode()).hexdigest()[:32] + Path(path).suffix)
        if place not in self._users:
            place.write_bytes(data)
        return place


def _moved_message(message: Message, places: dict[str, Path]) -> Message:
    def moved(part: TextPart | ImagePart | VideoPart) -> TextPart | ImagePart | VideoPart:
        if isinstance(part, ImagePart):
            return msgspec.structs.replace(part, path=str(places[part.path]))
        if isinstance(part, VideoPart):
            return msgspec.structs.replace(part, paths=tuple(str(places[path]) for path in part.paths))
        return part

    return msgspec.structs.replace(message, parts=tuple(moved(part) for part in message.parts))
