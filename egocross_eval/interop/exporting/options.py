"""Options of the forms; their modules are imported when they are used."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Repository = Annotated[str, msgspec.Meta(pattern=r"^([\w.-]+/[\w.-]+)?$", examples=["OWNER/NAME"])]
"""`owner/name`, or empty."""


class HubOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of the form `hub`."""

    repo: Repository = ""
    """The model's repository on the Hub: what a pull request there would bring is shown."""
    open: bool = False
    """Open that pull request, with the token of `hf auth login` or HF_TOKEN."""
    dataset: Repository = ""
    """The benchmark's dataset on the Hub; empty: as the benchmark says."""
    revision: str = ""
    """Commit of the dataset."""
    source: str = ""
    """Address where more is to be seen, e.g. the run's site."""
    source_name: str = ""
    """What the link to it is called."""


class DatasetOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of the form `dataset`."""

    frames: bool = True
    """Put the frames that were sent into it, where their place is known."""
    data: str = ""
    """Data root that the frames lie below; empty: the run's, if it was made here."""


class InspectOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of the form `inspect`."""

    frames: bool = True
    """Put the frames that were sent into it, where their place is known."""
    data: str = ""
    """Data root that the frames lie below; empty: the run's, if it was made here."""
    max_pixels: Annotated[int, msgspec.Meta(ge=0)] = 65536
    """Pixel budget of each frame in the log; 0: frames as they are."""


class EveryEvalEverOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of the form `every-eval-ever`."""

    organization: Annotated[str, msgspec.Meta(min_length=1, examples=["NAME"])]
    """Who measured."""
    relationship: Literal["first_party", "third_party", "collaborative", "other"] = "third_party"
    """Of who measured to who made the model."""
    model: Repository = ""
    """The model's id, `developer/name`; empty: told from the spec."""
    availability: Literal["open_weights", "closed_weights", "unknown"] = "unknown"
    deployment: Literal["self_deployed", "externally_managed", "unknown"] = "unknown"
