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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egocross_eval.schema import Request, Response

sys.path.insert(0, str(Path(__file__).parents[1]))

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
    from work import product_rate

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
    from work import prefill_operations

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
    frames = {request.key: frame_count(request) for request in asked}
    prompts = [(answer.input_tokens, frames[answer.key]) for answer in answers if answer.input_tokens]
    return {
        "answers": answers,
        "device": torch.cuda.get_device_name(),
        "questions": len(answers),
        "failures": sum(answer.failure is not None for answer in answers),
        "seconds": seconds,
        "prompt_tokens": sum(tokens for tokens, _ in prompts),
        "new_tokens": sum(answer.output_tokens or 0 for answer in answers),
        "operations": prefill_operations(model, prompts, details["frame_tokens"]),
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
    """Prints a row for each side."""
    print(
        "| side | questions | failed | seconds | prompt tokens/s | new tokens/s | TFLOP/s | of products' rate "
        "| out of memory | tokens a batch | peak GiB (reserved) | letters that differ | largest difference |"
    )
    print("|---|" + "---:|" * 12)
    for found in sides:
        pace = found["operations"] / found["seconds"]
        cells = [
            found["side"],
            found["questions"],
            found["failures"],
            f"{found['seconds']:.1f}",
            f"{found['prompt_tokens'] / found['seconds']:,.0f}",
            f"{found['new_tokens'] / found['seconds']:,.0f}",
            f"{pace / 1e12:.0f}",
            f"{100 * pace / found['product_rate']:.0f} %",
            found["out_of_memory"],
            f"{found['batch_tokens']:,}",
            f"{found['peak_gib']:.1f} ({found['reserved_gib']:.1f})",
            *differences(sides[0]["scores"], found["scores"]),
        ]
        print("|", " | ".join(map(str, cells)), "|")
    for found in sides[:1]:
        print(
            f"\n{found['device']}: products of matrices {found['product_rate'] / 1e12:.0f} TFLOP/s; "
            f"weights {found['weights_gib']:.1f} GiB; attention {found['attention']}; "
            f"{found['prompt_tokens']:,} prompt tokens, {found['frame_tokens']} a frame"
        )


def differences(base: dict[str, dict[str, float]], found: dict[str, dict[str, float]]) -> tuple[str, str]:
    """How many letters two sides choose differently, and the largest difference of a log-probability."""
    both = [(base[key], found[key]) for key in base if key in found]
    if not both:
        return "", ""
    differ = sum(max(one, key=one.__getitem__) != max(other, key=other.__getitem__) for one, other in both)
    return (
        f"{differ} of {len(both)}",
        f"{max(abs(one[label] - other[label]) for one, other in both for label in one):.3f}",
    )


if __name__ == "__main__":
    main()
