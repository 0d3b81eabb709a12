"""The chart library of the site: Vega-Lite with Vega, as one script from the package vl-convert-python.

That package carries the libraries' sources and bundles them without a network. A bundle takes seconds to make, so it's
kept in the cache, by version.
"""

from __future__ import annotations

import importlib.metadata

from egocross_eval.directories import cache_directory
from egocross_eval.errors import MissingExtraError
from egocross_eval.files import write_file

_SNIPPET = "window.egocrossCharts = {embed: vegaEmbed};"
_CACHED = 1
"""Raised whenever what is made of the bundle changes."""


def chart_library() -> bytes:
    """The script, which defines `egocrossCharts.embed`. Raises `MissingExtraError` without the extra `site`."""
    try:
        import vl_convert
    except ImportError as error:
        raise MissingExtraError("vl_convert", "site") from error
    version = importlib.metadata.version("vl-convert-python")
    path = cache_directory() / "site" / f"charts-{version}-{_CACHED}.js"
    if path.is_file():
        return path.read_bytes()
    # The bundle declares names at its top level; the function around it keeps them from other scripts.
    versions = f"Vega {vl_convert.get_vega_version()}, Vega-Lite {vl_convert.get_vegalite_versions()[-1]}"
    notice = f"/*! {versions} and Vega-Embed {vl_convert.get_vega_embed_version()}: (c) University of Washington "
    notice += "Interactive Data Lab and contributors, BSD 3-Clause License. See LICENSES.txt. */\n"
    content = f"{notice}(function () {{\n{vl_convert.javascript_bundle(_SNIPPET)}\n}})();\n".encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, content)
    return content
