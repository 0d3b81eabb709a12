"""The base of all nouns, and the version of the files made of them."""

from __future__ import annotations

import msgspec

SCHEMA_VERSION = 2
"""Version of `run.json`, `samples.jsonl`, `results.json` and exported rows. A reader refuses a newer one; files of
version 1 are read by `runs/version1.py`."""


class Noun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all nouns: immutable, keyword-only, strict when read back."""
