"""How a full memory is recognised, and what is done about it at once."""

from __future__ import annotations

WORDS = (
    "out of memory",
    "outofmemoryerror",
    "can't allocate memory",
    "cannot allocate memory",
    "cublas_status_alloc_failed",
    "cublas_status_not_initialized",
    "cudnn_status_alloc_failed",
    "cudnn_status_internal_error_device_allocation_failed",
    "cudnn_status_internal_error_host_allocation_failed",
    "cudnn_status_not_initialized",
    "cusolver_status_alloc_failed",
    "cusolver_status_not_initialized",
    "cufft_alloc_failed",
    "nvml_success == r internal assert failed",
    "invalid buffer size",
)
"""What a full memory is called, in small letters: by PyTorch, the C library, NVIDIA's libraries, which keep buffers,
PyTorch's allocator that can't even ask how full a card is, and Apple's GPUs."""


def says_out_of_memory(text: str) -> bool:
    """Whether a message says that memory ran out, on a GPU or on the CPU."""
    return any(words in text.lower() for words in WORDS)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says so."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and says_out_of_memory(str(error))


def free_memory() -> None:
    """Gives memory that PyTorch keeps for later back to the device."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
