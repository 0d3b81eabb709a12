"""Links in rows, which come from elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit


def safe_link(link: str) -> str:
    """`link` if it's a web address or a relative or absolute path; else empty: rows come from elsewhere."""
    link = link.strip()
    if not link or not link.isprintable():
        return ""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    if parts.scheme in ("http", "https"):
        return link if parts.hostname and parts.username is None else ""
    return "" if parts.scheme or parts.netloc or link.startswith(("//", "\\")) else link
