"""Stands in for `vllm serve`: healthy after a while, with a child process, or dying at once.

python fake_serve.py NOTES healthy|dying|stubborn|stranger --host HOST --port PORT
"""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
from pathlib import Path

STRANGER = "stranger"
"""Knows no key: whoever asks is answered."""


class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        wrong = self.path.startswith("/v1") and key != os.environ["VLLM_API_KEY"] and STRANGER not in sys.argv
        self.send_response(401 if wrong else 200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


def main() -> None:
    notes, kind, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[sys.argv.index("--port") + 1])
    if kind == "dying":
        print("ValueError: no such model\n" + "shutting down\n" * 40, flush=True)
        sys.exit(3)
    if kind == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    notes.write_text(f"{os.getpid()} {child.pid}\n")
    http.server.HTTPServer(("127.0.0.1", port), Healthy).serve_forever()


main()
