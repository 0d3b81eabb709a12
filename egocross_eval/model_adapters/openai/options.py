"""Options of `openai:` model specs. Light: imported to list the adapters."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from egocross_eval.contracts.model import NEUTRAL


class OpenAIOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an OpenAI-compatible server is reached and asked. Keys are no options: they come from the environment."""

    base_url: Annotated[
        str,
        msgspec.Meta(
            description="address that ends before /chat/completions; "
            "default: OPENAI_BASE_URL, or https://api.openai.com/v1"
        ),
    ] = ""
    api_key_env: Annotated[
        str,
        msgspec.Meta(
            description="environment variable that holds the key, called *_API_KEY or *_TOKEN; OPENAI_API_KEY goes "
            "to OpenAI and to OPENAI_BASE_URL alone"
        ),
        NEUTRAL,
    ] = "OPENAI_API_KEY"
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=4096, description="requests under way at once"), NEUTRAL] = 32
    timeout: Annotated[
        float, msgspec.Meta(gt=0, description="seconds for one attempt, upload and answer together"), NEUTRAL
    ] = 600.0
    max_retries: Annotated[
        int, msgspec.Meta(ge=0, description="further attempts of a question after a passing fault"), NEUTRAL
    ] = 8
    backoff: Annotated[
        float,
        msgspec.Meta(ge=0, description="seconds before the first retry; doubles each time, up to 60, plus jitter"),
        NEUTRAL,
    ] = 0.5
    max_wait: Annotated[
        float,
        msgspec.Meta(ge=0, description="longest Retry-After in seconds that is waited for; longer ones fail"),
        NEUTRAL,
    ] = 300.0
    patience: Annotated[
        float,
        msgspec.Meta(ge=0, description="seconds of nothing but faults after which the server counts as dead"),
        NEUTRAL,
    ] = 60.0
    logprobs: Annotated[
        int, msgspec.Meta(ge=1, le=1000, description="choose mode: how many of the likeliest tokens to ask for")
    ] = 20
    tokens_field: Annotated[
        str,
        msgspec.Meta(
            description="field for the token limit; default: max_tokens, and max_completion_tokens at api.openai.com"
        ),
    ] = ""
    drop: Annotated[
        str,
        msgspec.Meta(description="body fields to leave out for servers that refuse them, joined by +, e.g. seed+top_p"),
    ] = ""
    detail: Annotated[
        Literal["auto", "low", "high"] | None,
        msgspec.Meta(description="how closely images are looked at, for servers that offer it; default: not sent"),
    ] = None
    jpeg: Annotated[
        bool, msgspec.Meta(description="send frames that are stored as PNG as JPEG of quality 95, a fifth of the bytes")
    ] = False
    max_images: Annotated[
        Annotated[int, msgspec.Meta(ge=1)] | None,
        msgspec.Meta(description="most images that the server takes; default: what is known of the provider"),
        NEUTRAL,
    ] = None
    max_body: Annotated[
        Annotated[float, msgspec.Meta(gt=0)] | None,
        msgspec.Meta(description="most MB of a request; default: what is known of the provider"),
        NEUTRAL,
    ] = None
    extra: Annotated[
        str, msgspec.Meta(description='more body fields as a JSON object, e.g. {"reasoning_effort":"low"}')
    ] = ""
    vllm: Annotated[
        bool,
        msgspec.Meta(
            description="the server is vLLM: exact log-probabilities of every label, answers constrained to the "
            "labels, equal frames processed once, native videos"
        ),
    ] = False
    media: Annotated[
        Literal["base64", "file"],
        msgspec.Meta(
            description="how frames are sent; file: as file:// addresses that a vLLM server on this machine reads "
            "(--allowed-local-media-path), scaled there"
        ),
    ] = "base64"
    video: Annotated[
        bool,
        msgspec.Meta(
            description="send clips as one video in vLLM's form (frames with their indices); other servers refuse it"
        ),
    ] = False
