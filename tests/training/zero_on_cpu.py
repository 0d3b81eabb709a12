"""One optimizer step of DeepSpeed's ZeRO-2 on two CPU processes, beside the same step by plain averaging of gradients.

Run by torchrun in the training environment: `zero_on_cpu.py BASE CONFIG.json REPLY.json`. Process 0 writes the reply:
the gradient norms of both and the largest difference of a weight. Precision is float32, so that they can be equal.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

RATE, LENGTH, ACCUMULATED = 0.1, 24, 2


def batches(rank: int, torch: Any) -> list[dict[str, Any]]:
    """The batches of a process: tokens drawn by its number, the last three of them labelled."""
    draw = torch.Generator().manual_seed(rank)
    found = []
    for _ in range(ACCUMULATED):
        ids = torch.randint(0, 200, (1, LENGTH), generator=draw)
        labels = ids.clone()
        labels[:, :-3] = -100
        found.append({"input_ids": ids, "labels": labels})
    return found


def plainly(model: Any, torch: Any) -> float:
    """Steps by the mean gradient over both processes and all batches; returns its norm."""
    for rank in (0, 1):
        for batch in batches(rank, torch):
            (model(**batch).loss / (2 * ACCUMULATED)).backward()
    trained = [parameter for parameter in model.parameters() if parameter.grad is not None]
    norm = torch.stack([parameter.grad.norm() for parameter in trained]).norm().item()
    with torch.no_grad():
        for parameter in trained:
            parameter -= RATE * parameter.grad
    return float(norm)


def main(base: str, config: dict[str, Any], reply: Path) -> None:
    import deepspeed
    import torch
    from transformers import AutoModelForImageTextToText

    torch.set_num_threads(1)
    deepspeed.init_distributed("gloo")
    rank = torch.distributed.get_rank()
    model = AutoModelForImageTextToText.from_pretrained(base, dtype=torch.float32).train()
    model.gradient_checkpointing_enable({"use_reentrant": True})
    model.enable_input_require_grads()
    other = copy.deepcopy(model)
    config |= {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": ACCUMULATED,
        "train_batch_size": 2 * ACCUMULATED,
        "gradient_clipping": 0.0,
        "bf16": {"enabled": False},
        "fp16": {"enabled": False},
    }
    used = [parameter for name, parameter in model.named_parameters() if "visual" not in name]
    optimizer = torch.optim.SGD(used, lr=RATE)
    engine, *_ = deepspeed.initialize(model=model, optimizer=optimizer, config=config)
    for batch in batches(rank, torch):
        engine.backward(engine(**batch).loss)
        engine.step()
    norm = plainly(other, torch)
    if rank == 0:
        mine = dict(engine.module.named_parameters())
        apart = max((mine[name] - value).abs().max().item() for name, value in other.named_parameters())
        moved = max(
            (mine[name] - value).abs().max().item()
            for name, value in AutoModelForImageTextToText.from_pretrained(base, dtype=torch.float32).named_parameters()
        )
        found = {"zero": float(engine.get_global_grad_norm()), "plain": norm, "apart": apart, "moved": moved}
        reply.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")), Path(sys.argv[3]))
