"""How the tests start Chromium: without a window, a profile or a network of its own."""

from __future__ import annotations

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1300,900",
)
PATIENCE = 120
"""Seconds to wait for the browser: it may share few and busy cores."""
