"""Pace and memory of `hf:` on a GPU; see README.md.

python measurements/gpu_pace/run.py --data ROOT --checkpoint DIR --side choose --side choose,batch_size=1
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egocross_eval.schema import Request, Response

sys.path.insert(0, str(Path(__file__).parents[1]))

from letters import differences
from work import operations, shape

WARM = 6
"""Questions asked before the clock runs: they load the model and choose its kernels."""

GIB = 2**30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="data root with the testbed and its frames")
    parser.add_argument("--checkpoint", type=Path, required=True, help="a Qwen-VL checkpoint")
    parser.add_argument("--max-pixels", type=int, default=360_000)
    parser.add_argument("--max-new-tokens", type=int, default=128)
    parser.add_argument("--questions", type=int, default=192, help="ask this many, evenly spread")
    parser.add_argument(
        "--side", action="append", help="MODE[@cudnn][,options of hf:]; may be repeated (default: choose)"
    )
    parser.add_argument("--memory", type=float, help="GiB that may be taken, as on a smaller card")
    parser.add_argument("--answers", type=Path, help="keep each side's answers in this folder")
    options = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    show(measured(options))


def measured(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Asks all questions on each side; a model that has the options of the side before is kept."""
    import torch

    from egocross_eval.contracts.registry import registry
    from egocross_eval.model_adapters.spec import build_adapter, parse_spec

    if not torch.cuda.is_available():
        sys.exit("needs a GPU that torch can use")
    rate = product_rate()
    torch.cuda.empty_cache()
    if options.memory:
        _, whole = torch.cuda.mem_get_info()
        torch.cuda.set_per_process_memory_fraction(min(1.0, options.memory * GIB / whole))
    found, loaded, adapter = [], None, None
    for side in options.side or ["choose"]:
        way, _, extra = side.partition(",")
        if adapter is None or extra != loaded:
            if adapter is not None:
                adapter.close()
            spec = f"hf:{options.checkpoint}" + (f",{extra}" if extra else "")
            loaded, adapter = extra, build_adapter(parse_spec(spec), registry())
        found.append({"side": side, "product_rate": rate, **measured_side(options, way, adapter)})
        print(f"{side}: {found[-1]['seconds']:.1f} s", file=sys.stderr, flush=True)
        keep(options, side, found[-1].pop("answers"))
    return found


def measured_side(options: argparse.Namespace, way: str, adapter: Any) -> dict[str, Any]:
    """Asks all questions in one way."""
    import torch
    from caches import forget

    mode, _, attention = way.partition("@")
    with attention_of_torch() if attention == "cudnn" else nullcontext():
        list(adapter.generate(islice(requests(options, mode), WARM)))
        before = adapter.details()
        asked = list(requests(options, mode))
        forget(adapter)
        torch.cuda.reset_peak_memory_stats()
        started = time.perf_counter()
        answers = list(adapter.generate(iter(asked)))
        seconds = time.perf_counter() - started
    model, details = adapter._engine.result().model, adapter.details()
    read = shape(options.checkpoint)
    frames = {request.key: frame_count(request) * [details["frame_tokens"] * read.merged] for request in asked}
    prompts = [(answer.input_tokens, frames[answer.key]) for answer in answers if answer.input_tokens]
    return {
        "answers": answers,
        "device": torch.cuda.get_device_name(),
        "questions": len(answers),
        "failures": sum(answer.failure is not None for answer in answers),
        "seconds": seconds,
        "prompt_tokens": sum(tokens for tokens, _ in prompts),
        "new_tokens": sum(answer.output_tokens or 0 for answer in answers),
        "operations": sum(operations(read, tokens, seen) for tokens, seen in prompts),
        "out_of_memory": details["out_of_memory"] - before["out_of_memory"],
        "weights_gib": sum(weight.nbytes for weight in model.parameters()) / GIB,
        "peak_gib": torch.cuda.max_memory_allocated() / GIB,
        "reserved_gib": torch.cuda.max_memory_reserved() / GIB,
        "scores": {answer.key: answer.scores for answer in answers if answer.scores},
        **{name: details[name] for name in ("batch_tokens", "attention", "frame_tokens")},
    }


@contextmanager
def attention_of_torch() -> Iterator[None]:
    """Leaves PyTorch the choice of its attention, which `hf:` keeps from cuDNN."""
    from egocross_eval.model_adapters.hf import engine

    kept = engine.no_plan_for_each_length
    engine.no_plan_for_each_length = nullcontext  # type: ignore[assignment]
    try:
        yield
    finally:
        engine.no_plan_for_each_length = kept


def requests(options: argparse.Namespace, mode: str) -> Iterator[Request]:
    """Those of the questions that are asked."""
    import asked

    from egocross_eval.contracts.registry import registry
    from egocross_eval.runs.options import options_from
    from egocross_eval.runs.plan import plan_run

    asking = options_from(
        data=options.data, answer=mode, max_pixels=options.max_pixels, max_new_tokens=options.max_new_tokens
    )
    plan = plan_run(asking, registry())
    step = max(1, len(plan.questions) // options.questions)
    return asked.requests(plan, islice(plan.questions[::step], options.questions))


def frame_count(request: Request) -> int:
    """Frames in a request's prompt."""
    from egocross_eval.schema import ImagePart

    return sum(isinstance(part, ImagePart) for message in request.prompt.messages for part in message.parts)


def keep(options: argparse.Namespace, side: str, answers: Sequence[Response]) -> None:
    """Writes a side's answers, where a folder is given."""
    if options.answers:
        import msgspec

        options.answers.mkdir(parents=True, exist_ok=True)
        name = "".join(letter if letter.isalnum() else "-" for letter in side)
        (options.answers / f"{name}.json").write_bytes(msgspec.json.encode(answers))


def show(sides: list[dict[str, Any]]) -> None:
    """Prints a row for each side, and what is the same for all."""
    columns = ["side", "questions", "failed", "seconds", "prompt tokens/s", "new tokens/s", "TFLOP/s", "of products %"]
    columns += ["out of memory", "tokens a batch", "peak GiB", "reserved GiB", "differ", "largest difference"]
    rows = [row(found, sides[0]) for found in sides]
    print(tabulate(rows, columns, "github", floatfmt=".1f", intfmt=",", missingval="", disable_numparse=[13]))
    first = sides[0]
    print(
        f"\n{first['device']}: products of matrices {first['product_rate'] / 1e12:.0f} TFLOP/s; "
        f"weights {first['weights_gib']:.1f} GiB; attention {first['attention']}; "
        f"{first['prompt_tokens']:,} prompt tokens, {first['frame_tokens']} a frame"
    )


def row(found: dict[str, Any], first: dict[str, Any]) -> list[Any]:
    """A side as a row of the table."""
    seconds, pace = found["seconds"], found["operations"] / found["seconds"]
    told = [found["side"], found["questions"], found["failures"], seconds]
    paces = [round(found["prompt_tokens"] / seconds), round(found["new_tokens"] / seconds), round(pace / 1e12)]
    memory = [found[name] for name in ("out_of_memory", "batch_tokens", "peak_gib", "reserved_gib")]
    share = 100 * pace / found["product_rate"]
    return [*told, *paces, share, *memory, *differences(first["scores"], found["scores"])]


def product_rate(size: int = 8192, times: int = 20) -> float:
    """Operations a second of products of random matrices in bfloat16 on the present GPU."""
    import torch

    one, other = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        one @ other
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(times):
        one @ other
    torch.cuda.synchronize()
    return 2 * size**3 * times / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
