"""Options of `vllm:` and `vllm-server:` model specs. Imports nothing heavy: the command line lists them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from egocross_eval.contracts.model import NEUTRAL, PASSED_ON, TYPED

Positive = Annotated[int, Meta(ge=1)]

HARMLESS = (
    "block_size",
    "cpu_offload_gb",
    "data_parallel_size",
    "disable_custom_all_reduce",
    "dtype",
    "enable_chunked_prefill",
    "enable_expert_parallel",
    "enable_prefix_caching",
    "enforce_eager",
    "generation_config",
    "gpu_memory_utilization",
    "kv_cache_dtype",
    "limit_mm_per_prompt",
    "max_logprobs",
    "max_lora_rank",
    "max_model_len",
    "max_num_batched_tokens",
    "max_num_seqs",
    "mm_processor_cache_gb",
    "mm_processor_kwargs",
    "pipeline_parallel_size",
    "quantization",
    "revision",
    "seed",
    "swap_space",
    "tensor_parallel_size",
)
"""Engine options that a file may set. Others run code of a checkpoint or by its name, or open and write files."""

EngineOptions = Annotated[
    dict[str, str],
    PASSED_ON,
    Meta(
        description="every engine option of vLLM by its own name, e.g. max_model_len=32768, tensor_parallel_size=2, "
        "data_parallel_size=2, gpu_memory_utilization=0.8, dtype=bfloat16, trust_remote_code=true",
        extra={"from_files": HARMLESS},
    ),
]


class VllmOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What may follow the path or name in `vllm:PATH_OR_NAME,key=value`, beside the engine's own options."""

    lora: Annotated[str | None, Meta(description="folder of a PEFT adapter; its rank is read from it")] = None
    concurrency: Annotated[
        Positive | Literal["auto"],
        Meta(description="questions under way at once; auto: a quarter more than the engine runs"),
    ] = "auto"
    threads: Annotated[
        Positive | Literal["auto"],
        Meta(description="threads that decode frames ahead; auto: one a core, at most 16"),
        NEUTRAL,
    ] = "auto"
    frame_memory: Annotated[
        float, Meta(gt=0, description="most GiB of frames under way at once; a single larger question goes alone")
    ] = 8.0
    template_kwargs: Annotated[
        str,
        Meta(description='variables of the chat template as a JSON object, e.g. {"enable_thinking":false}'),
    ] = ""
    engine_options: EngineOptions = {}


class VllmServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What may follow the path or name in `vllm-server:PATH_OR_NAME,key=value`, beside the engine's own options."""

    lora: Annotated[str | None, Meta(description="folder of a PEFT adapter; its rank is read from it")] = None
    python: Annotated[
        str | None, Meta(description="Python of another environment that has vLLM, e.g. ./vllm-env/bin/python"), TYPED
    ] = None
    concurrency: Annotated[int, Meta(ge=1, le=4096, description="questions under way at once")] = 256
    start_timeout: Annotated[float, Meta(gt=0, description="seconds until the server must be ready"), NEUTRAL] = 1800.0
    timeout: Annotated[float, Meta(gt=0, description="seconds for one question"), NEUTRAL] = 3600.0
    media_root: Annotated[
        str | None,
        Meta(description="folder that the server may read frames from; default: the data root"),
        TYPED,
    ] = None
    log: Annotated[
        str | None, Meta(description="file for the server's log; default: a temporary one"), NEUTRAL, TYPED
    ] = None
    engine_options: EngineOptions = {}
