"""Options of `lmms:` model specs. Light: imported to list the adapters."""

from __future__ import annotations

from typing import Annotated

import msgspec

from egocross_eval.contracts.model import NEUTRAL, PASSED_ON, TYPED


class LmmsOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model class of lmms-eval is made and asked."""

    python: Annotated[
        str,
        msgspec.Meta(description="interpreter of an environment with lmms-eval and this package; default: this one"),
        NEUTRAL,
        TYPED,
    ] = ""
    batch_size: Annotated[int, msgspec.Meta(ge=1, description="as lmms-eval's --batch_size")] = 1
    device: Annotated[str, msgspec.Meta(description="as lmms-eval's --device; default: cuda, or cpu without one")] = ""
    chunk: Annotated[
        int, msgspec.Meta(ge=1, description="questions handed over at once: what a crash loses"), NEUTRAL
    ] = 32
    arguments: Annotated[
        dict[str, str],
        msgspec.Meta(description="lmms-eval's --model_args, e.g. pretrained=, max_pixels=, system_prompt="),
        PASSED_ON,
    ] = {}
