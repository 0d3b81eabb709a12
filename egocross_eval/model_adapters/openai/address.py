"""Where the server is and which key opens it: from the options and the environment, checked."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from egocross_eval.errors import UsageError

DEFAULT_BASE_URL = "https://api.openai.com/v1"
OPENAI_HOST = "api.openai.com"
_SHORTEST_KEY = 4
"""Shorter keys than this are placeholders for servers that ask for none; blanking them would garble messages."""


def base_url(option: str) -> str:
    """The address that requests go to, without a trailing slash: the option, OPENAI_BASE_URL, or OpenAI's own.

    Raises `UsageError` for anything but `http(s)://host[:port][/path]`; an address with user or password in it isn't
    repeated in the message.
    """
    source = "base_url" if option else "OPENAI_BASE_URL"
    text = (option or os.environ.get("OPENAI_BASE_URL", "") or DEFAULT_BASE_URL).strip()
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(
            f"openai: {source} is no valid address; write e.g. base_url=http://127.0.0.1:8000/v1"
        ) from error
    if "@" in parts.netloc:
        raise UsageError(f"openai: {source} has a user or password in it; put the key in the environment (api_key_env)")
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(
            f"openai: {source}={text!r} is not http(s)://host[:port][/path], e.g. http://127.0.0.1:8000/v1"
        )
    if parts.query or parts.fragment:
        raise UsageError(f"openai: {source} ends in a query or fragment; give the address up to /chat/completions only")
    return text.rstrip("/").removesuffix("/chat/completions")


def is_openai(url: str) -> bool:
    """True for OpenAI's own service."""
    return urlsplit(url).hostname == OPENAI_HOST


class ApiKey:
    """A key that never shows: not in `repr`, not in messages that went through `hide`."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    @classmethod
    def from_environment(cls, variable: str, *, required: bool) -> ApiKey:
        """The key in `variable`, or no key. Raises `UsageError` if it's required and missing, or no possible key."""
        secret = os.environ.get(variable, "").strip()
        if required and not secret:
            raise UsageError(
                f"openai: the environment variable {variable} holds no key; set it, or name another with api_key_env="
            )
        if not (secret.isascii() and secret.isprintable()):
            raise UsageError(f"openai: the key in {variable} has characters that no key can have; set it again")
        return cls(secret)

    def __repr__(self) -> str:
        return "ApiKey(...)"

    def headers(self) -> dict[str, str]:
        """The header that carries the key; empty without a key."""
        return {"Authorization": f"Bearer {self._secret}"} if self._secret else {}

    def hide(self, text: str) -> str:
        """`text` with the key blanked."""
        return text.replace(self._secret, "[key]") if len(self._secret) >= _SHORTEST_KEY else text
