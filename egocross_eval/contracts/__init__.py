"""Plugins: the hook specifications and the registry of what plugins bring."""

from egocross_eval.contracts.hooks import GROUP, hookimpl, hookspec

__all__ = ["GROUP", "hookimpl", "hookspec"]
