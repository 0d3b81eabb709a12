"""Modules that arguments of LLaMA-Factory need beyond its own requirements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

ATTENTION = {"fa2": "flash_attn", "fa3": "flash_attn_interface"}
"""By value of `flash_attn`. LLaMA-Factory goes on without them; without any other module here it ends."""

_SWITCHES = {
    "enable_liger_kernel": "liger_kernel",
    "use_adam_mini": "adam_mini",
    "use_apollo": "apollo_torch",
    "use_badam": "badam",
    "use_galore": "galore_torch",
    "use_swanlab": "swanlab",
    "use_unsloth": "unsloth",
}
_OPTIMIZERS = {
    r"adamw_torch_[48]bit": "torchao",
    r"galore_.*": "galore_torch",
    r"apollo_.*": "apollo_torch",
    r"(ada)?lomo": "lomo_optim",
    r"grokadamw": "grokadamw",
    r"schedule_free_.*": "schedulefree",
    r"stable_adamw": "optimi",
    r"adamw_apex_fused": "apex",
    r".*8bit|.*bnb.*|paged_.*|lion_32bit|ademamix": "bitsandbytes",
}
"""By pattern of `optim`; the first that matches."""
_QUANTIZATION = {"bnb": "bitsandbytes", "hqq": "hqq", "eetq": "eetq"}
"""By `quantization_method`, whose default is the first, where `quantization_bit` is set."""
_REPORTS = {
    "clearml": "clearml",
    "codecarbon": "codecarbon",
    "comet_ml": "comet_ml",
    "dvclive": "dvclive",
    "mlflow": "mlflow",
    "neptune": "neptune",
    "swanlab": "swanlab",
    "tensorboard": "tensorboard",
    "trackio": "trackio",
    "wandb": "wandb",
}
"""By value of `report_to`."""

MODULES = tuple(
    sorted(
        {module for table in (ATTENTION, _SWITCHES, _OPTIMIZERS, _QUANTIZATION, _REPORTS) for module in table.values()}
    )
)
"""All of them."""


def needed_modules(arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is asked for, as `name=value`, and the module that it needs."""
    for name, module in _SWITCHES.items():
        if arguments.get(name):
            yield f"{name}=true", module
    optimizer = str(arguments.get("optim", ""))
    matching = (module for pattern, module in _OPTIMIZERS.items() if re.fullmatch(pattern, optimizer))
    for module in [*matching][:1]:
        yield f"optim={optimizer}", module
    if arguments.get("quantization_bit"):
        method = str(arguments.get("quantization_method", "bnb"))
        if method in _QUANTIZATION:
            yield f"quantization_bit={arguments['quantization_bit']}", _QUANTIZATION[method]
    reports = arguments.get("report_to")
    for report in reports if isinstance(reports, list) else [reports]:
        if report in _REPORTS:
            yield f"report_to={report}", _REPORTS[report]
    if arguments.get("flash_attn") in ATTENTION:
        yield f"flash_attn={arguments['flash_attn']}", ATTENTION[arguments["flash_attn"]]
