"""SwanLab; `--track swanlab:PROJECT`, with `mode=offline` for what is sent later by `swanlab sync`."""

from __future__ import annotations

import netrc
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from egocross_eval.contracts.event import Event
from egocross_eval.errors import UsageError
from egocross_eval.interop.trackers.following import COLUMNS, Identity, follow
from egocross_eval.interop.trackers.installed import library, needed_target, refuse_unreachable
from egocross_eval.interop.trackers.options import ModeOptions

_HOST = "https://api.swanlab.cn"


def build(target: str, options: ModeOptions) -> Callable[[Event], None]:
    """Follows a run in `[WORKSPACE/]PROJECT`.

    Raises `UsageError` where swanlab isn't installed, nobody is logged in, or its server can't be reached.
    """
    swanlab = library("swanlab")
    workspace, _, project = needed_target("swanlab", target, "[WORKSPACE/]PROJECT").rpartition("/")
    mode = options.mode or os.environ.get("SWANLAB_MODE", "online")
    login = Path(os.environ.get("SWANLAB_SAVE_DIR", Path.home() / ".swanlab")) / ".netrc"
    if mode == "online" and not os.environ.get("SWANLAB_API_KEY") and not login.is_file():
        raise UsageError(
            "--track swanlab: nobody is logged in; run 'swanlab login', set SWANLAB_API_KEY, or use mode=offline"
        )
    if mode == "online":
        refuse_unreachable("swanlab", os.environ.get("SWANLAB_API_HOST") or _host_of_login(login) or _HOST)
    return follow(_Swanlab(swanlab, workspace, project, mode))


def _host_of_login(login: Path) -> str:
    """The server of the user's login; empty where there's none."""
    try:
        return next(iter(netrc.netrc(login).hosts), "")
    except (OSError, netrc.NetrcParseError):
        return ""


class _Swanlab:
    def __init__(self, swanlab: Any, workspace: str, project: str, mode: str) -> None:
        self._swanlab, self._workspace, self._project, self._mode = swanlab, workspace, project, mode
        self._run: Any = None
        self._step = 0

    def begin(self, run: Identity) -> None:
        self._run = self._swanlab.init(
            workspace=self._workspace or None,
            project=self._project,
            id=run.id,
            name=run.name,
            resume="allow",
            config=run.settings,
            mode=self._mode,
            # What stands on the command line, on the screen or in the environment may hold what's nobody's business.
            settings=self._swanlab.Settings(
                interactive=False,
                terminal={"proxy_type": "none"},
                probe=dict.fromkeys(("hardware", "runtime", "requirements", "git", "monitor"), False),
            ),
        )

    def log(self, figures: Mapping[str, float], step: int) -> None:
        self._step = step
        self._run.log(dict(figures), step=step)

    def summary(self, figures: Mapping[str, float]) -> None:
        self.log(figures, self._step)

    def table(self, rows: Sequence[Sequence[Any]]) -> None:
        table = self._swanlab.echarts.Table()
        table.add(list(COLUMNS), [list(row) for row in rows])
        self._run.log({"samples": table}, step=self._step)

    def files(self, paths: Sequence[Path]) -> None:
        for path in paths:
            self._run.save(str(path), base_path=str(path.parent), policy="now")

    def end(self) -> None:
        self._run.finish()
