"""Options of an `hf:` model spec. Imports nothing heavy: the command line lists them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from egocross_eval.contracts.model import NEUTRAL, TYPED

Positive = Annotated[int, Meta(ge=1)]


class HfOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What may follow the path or name in `hf:PATH_OR_NAME,key=value`."""

    dtype: Annotated[
        Literal["auto", "bfloat16", "float16", "float32"],
        Meta(description="precision of the weights; auto: as stored in the checkpoint"),
    ] = "auto"
    device: Annotated[
        str, Meta(description="cpu, cuda, cuda:N or mps; auto: a GPU where there is one", pattern=r"^[a-z]+(:\d+)?$")
    ] = "auto"
    device_map: Annotated[
        str | None, Meta(description="spread the weights over devices by accelerate, e.g. auto; replaces device")
    ] = None
    attn: Annotated[
        str,
        Meta(
            description="implementation of attention: auto, sdpa, eager, flash_attention_2, flash_attention_3, or a "
            "kernel of the Hub by its name",
            min_length=1,
        ),
    ] = "auto"
    batch_size: Annotated[
        Positive | Literal["auto"], Meta(description="most questions in a batch; auto: bounded by batch_tokens alone")
    ] = "auto"
    batch_tokens: Annotated[
        Positive | Literal["auto"],
        Meta(description="most prompt tokens in a batch, padding included; auto: by the free memory"),
    ] = "auto"
    window: Annotated[
        Positive, Meta(description="questions drawn ahead and sorted by length, so that batches need little padding")
    ] = 512
    threads: Annotated[
        Positive | Literal["auto"],
        Meta(description="threads that decode frames ahead; auto: one a core, at most 16"),
        NEUTRAL,
    ] = "auto"
    lora: Annotated[str | None, Meta(description="folder of a PEFT adapter, merged into the weights on loading")] = None
    processor_kwargs: Annotated[
        str,
        Meta(
            description="settings of the checkpoint's image and video processor as a JSON object, e.g. "
            '{"crop_to_patches":false}'
        ),
    ] = ""
    template_kwargs: Annotated[
        str,
        Meta(description='variables of the chat template as a JSON object, e.g. {"enable_thinking":false}'),
    ] = ""
    revision: Annotated[str | None, Meta(description="branch, tag or commit of a model on the Hub")] = None
    trust_remote_code: Annotated[bool, Meta(description="run Python code that comes with the checkpoint"), TYPED] = (
        False
    )
