"""Where the server is and which key opens it: from the options and the environment, checked."""

from __future__ import annotations

import ipaddress
import os
import re
from urllib.parse import urlsplit

from egocross_eval.errors import UsageError, warn_caller

DEFAULT_BASE_URL = "https://api.openai.com/v1"
OPENAI_HOST = "api.openai.com"
OPENAI_KEY = "OPENAI_API_KEY"
KEY_NAMES = re.compile(r"[A-Z0-9_]+(_API_KEY|_TOKEN)")
"""Environment variables that may be sent anywhere: a model file of others could name any."""
_HOMES = {
    OPENAI_KEY: ("openai.com",),
    "ANTHROPIC_API_KEY": ("anthropic.com",),
    "AWS_SESSION_TOKEN": ("amazonaws.com",),
    "GEMINI_API_KEY": ("googleapis.com",),
    "GOOGLE_API_KEY": ("googleapis.com",),
    "GITHUB_TOKEN": ("github.com", "github.ai"),
    "GH_TOKEN": ("github.com", "github.ai"),
    "HF_TOKEN": ("huggingface.co",),
    "HUGGING_FACE_HUB_TOKEN": ("huggingface.co",),
    "OPENROUTER_API_KEY": ("openrouter.ai",),
}
"""Domains of those whose keys these are: such a key goes nowhere else."""
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


def key_for(url: str, variable: str) -> ApiKey:
    """The key in the environment `variable` that is sent to the server at `url`; none where it's not for that server.

    OpenAI's key goes to OpenAI, and to the server that `OPENAI_BASE_URL` names beside it. A warning says where another
    key goes, and where any would cross the network unencrypted. Raises `UsageError` for a variable that isn't named
    like a key or holds none, and for a key that belongs to other servers.
    """
    if not KEY_NAMES.fullmatch(variable):
        raise UsageError(
            f"openai: api_key_env={variable} names no variable for keys; they are called *_API_KEY or *_TOKEN"
        )
    host = urlsplit(url).hostname or ""
    homes = _HOMES.get(variable, ())
    at_home = any(host == home or host.endswith(f".{home}") for home in homes)
    if homes and not at_home and variable != OPENAI_KEY:
        raise UsageError(
            f"openai: the key in {variable} is for {homes[0]} and isn't sent to {host}; put the key of this "
            "server into a variable of its own and name it by api_key_env="
        )
    if homes and not at_home and not _is_named_beside_the_key(url):
        return ApiKey("")
    key = ApiKey.from_environment(variable, required=variable != OPENAI_KEY or is_openai(url))
    if key.headers() and not at_home:
        warn_caller(f"the key in {variable} goes to {host}")
    if key.headers() and urlsplit(url).scheme == "http" and not _is_this_machine(host):
        warn_caller(f"the key in {variable} goes to {host} unencrypted (http): others on the way can read it")
    return key


def _is_named_beside_the_key(url: str) -> bool:
    """Whether the environment that holds OpenAI's key names this server too."""
    named = urlsplit(os.environ.get("OPENAI_BASE_URL", "").strip())
    parts = urlsplit(url)
    return bool(named.netloc) and (named.scheme, named.netloc) == (parts.scheme, parts.netloc)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


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
