"""How many images and bytes a provider takes in one request, as far as its documents or its replies say."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

MB = 10**6


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Of one request; None: not known."""

    images: int | None = None
    body: int | None = None
    """Bytes."""


PROVIDERS = {
    "openai.com": Limits(images=500, body=50 * MB),
    "anthropic.com": Limits(images=100, body=32 * MB),
    "azure.com": Limits(images=50),
    "scaleway.ai": Limits(images=12),
    "googleapis.com": Limits(body=20 * MB),
}
"""By the end of the server's name."""


def limits_of(url: str) -> Limits:
    """What is known of the server at an address."""
    host = urlsplit(url).hostname or ""
    return next((known for name, known in PROVIDERS.items() if host == name or host.endswith(f".{name}")), Limits())
