"""Lets a GPU prepare the next batch's frames while it answers the present one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class SideStream:
    """A CUDA stream for preparation; on any other device, nothing.

    On the model's own stream, copying a batch's frames to the GPU would wait for the batch before it to be answered.
    """

    def __init__(self, device: Any) -> None:
        from torch import cuda

        self._device = device
        self._stream: Any = cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Work that is begun inside runs beside the model's."""
        if self._stream is None:
            yield
            return
        import torch

        with torch.cuda.stream(self._stream):
            yield

    def mark(self) -> Any:
        """The point up to which work was begun here; to be handed to `join` with what that work makes."""
        return None if self._stream is None else self._stream.record_event()

    def join(self, mark: Any, tensors: Any) -> None:
        """Makes this thread's stream wait for a mark, and keeps the tensors' memory until it's done with them."""
        if mark is None:
            return
        import torch

        present = torch.cuda.current_stream(self._device)
        present.wait_event(mark)
        for tensor in tensors.values():
            if isinstance(tensor, torch.Tensor) and tensor.is_cuda:
                tensor.record_stream(present)
