"""Recognises in a log what went wrong, and says what to try."""

from __future__ import annotations

import re

from egocross_eval.model_adapters.hf.full_memory import WORDS

_KNOWN: tuple[tuple[str, str], ...] = (
    (
        f"(?i:{'|'.join(map(re.escape, WORDS))})",
        "the memory ran out: lower --max-pixels or take --frames uniform:N, --set per_device_train_batch_size=1 with a "
        "higher gradient_accumulation_steps, more GPUs, --deepspeed zero3, or the recipe lora instead of full",
    ),
    (
        r"No space left on device|OSError: \[Errno 28\]|Disk quota exceeded|unexpected pos \d+ vs \d+|"
        r"PytorchStreamWriter failed writing",
        "the disk is full: free space or name another --output; a full checkpoint of 4B parameters takes about 60 GB "
        "with its optimizer (--set save_only_model=true keeps the weights alone, but can't be resumed)",
    ),
    (
        r"Template (\S+) does not exist|Cannot parse template|Template .* not found",
        "LLaMA-Factory doesn't know that template; for Qwen3-VL Instruct models it's --set template=qwen3_vl_nothink",
    ),
    (
        r"KeyError: (?:'from'|None)",
        "the dataset's registration lacks its tags; write the dataset with 'egocross-eval train data'",
    ),
    (
        r"Undefined dataset (\S+)|Cannot open .*dataset_info\.json",
        "the dataset isn't registered where LLaMA-Factory looks; run the same command again, which writes it anew",
    ),
    (
        r"(?:Repo id must be|is not a local folder and is not a valid model identifier|Incorrect path_or_model_id|"
        r"does not appear to have a file named config\.json)",
        "there is no model under that name or path: check --model (a folder with config.json, or a name on the Hub)",
    ),
    (
        r"FileNotFoundError: .*No such file or directory: '([^']+)'",
        "a file is gone that was there when the dataset was written: run the same command again, which checks all",
    ),
    (
        r"operator torchvision::nms does not exist|libcudart\.so|undefined symbol|torchaudio.*CUDA version",
        "torch, torchvision and torchaudio don't belong together in that environment: leave --python out, and one is "
        "built from the shipped lock",
    ),
    (
        r"Signal 9 \(SIGKILL\)|exitcode\s*: -9",
        "the system killed a process, mostly because memory ran out: lower the batch size or the number of workers",
    ),
    (
        r"EADDRINUSE|Address already in use",
        "the port of --address is in use: name another, e.g. --address 127.0.0.1:29511",
    ),
    (
        r"NCCL (?:error|WARN)|ncclSystemError|ncclUnhandledCudaError",
        "the GPUs can't talk to each other: see the lines of NCCL in the log (NCCL_DEBUG=INFO says more)",
    ),
    (
        r"Your setup doesn't support bf16/gpu|NVIDIA driver on your system is too old",
        "torch can't use the GPU, or the GPU has no bfloat16. 'egocross-eval doctor' shows the driver: torch for CUDA "
        "13 needs 580 or newer. On a GPU older than Ampere: --set bf16=false --set fp16=true. On the CPU: --gpus 0",
    ),
    (
        r"bf16.*not support",
        "this device has no bfloat16: --set bf16=false --set fp16=true",
    ),
    (
        r"Please launch distributed training with|Please use `FORCE_TORCHRUN=1`",
        "LLaMA-Factory sees more GPUs than it was started for: name their number by --gpus or CUDA_VISIBLE_DEVICES",
    ),
    (
        r"Image features and image tokens do not match",
        "an example was cut off within its frames: it is longer than cutoff_len; lower --max-pixels or take --frames "
        "uniform:N",
    ),
    (
        r"[Bb]us error|/dev/shm|insufficient shared memory",
        "the shared memory for loading frames is too small: --set dataloader_num_workers=0, in Docker --shm-size 16g",
    ),
    (
        r"output_dir.*Permission denied|PermissionError: \[Errno 13\]",
        "a file can't be written: check the rights of --output",
    ),
)


def explain(log: str) -> str:
    """The remedy for the last fault that the text of a log shows; empty where none is known."""
    found: tuple[int, str] = (-1, "")
    for pattern, remedy in _KNOWN:
        for match in re.finditer(pattern, log):
            if match.start() > found[0]:
                line = log[log.rfind("\n", 0, match.start()) + 1 :].split("\n", 1)[0].strip()
                found = (match.start(), f"{line[:300]}\n{remedy}")
    return found[1]


_LAUNCHER = re.compile(r"^[A-Z]\d{4} \d\d:\d\d:\S+ \d+ torch/distributed/elastic/.*$", re.MULTILINE)
"""A line that torchrun's agent writes."""

_FAILED = re.compile(r"failed \(exitcode: (-?\d+)\) local_rank: (\d+)")
"""What the agent writes of the process that ended first, before a summary of all."""


def last_words(log: str, length: int = 2000) -> str:
    """The end of what the trainer itself wrote, and which process ended first where torchrun's agent says so.

    The agent's summary is left out: it fills the end of the log and knows no cause.
    """
    failed = _FAILED.search(log)
    if failed is None:
        return log.strip()[-length:]
    words = _LAUNCHER.sub("", log[: failed.start()]).strip()[-length:]
    return f"{words}\nthe process of local rank {failed[2]} ended first, with exit code {failed[1]}"
