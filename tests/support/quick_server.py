"""Starts the real answering server in a fraction of a second and kills it: all is imported once, each start is a fork.

A killer needs a restart to be quick; `rapport serve` spends a second on imports. What is forked here is the same
verb with the same settings: granian's parent and its worker, in a process group of their own.
"""

import importlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from data import settings as reading_settings
from surveys.commands import serve
from tests.support.serving import free_port

FORKED = "import tests.support.quick_server as it; it.forks()"


class QuickServer:
    """One home, one port; `start` and `kill` as often as wanted. `defect` names a function that breaks it first."""

    def __init__(self, home: Path, defect: str | None = None) -> None:
        self.port = free_port()
        self._log = (home / "serve.log").open("ab")
        self._group: int | None = None
        environment = {**os.environ, "RAPPORT_ANSWERS_PORT": str(self.port), "RAPPORT_HOME": str(home)}
        self._forker = subprocess.Popen(
            [sys.executable, "-c", FORKED, defect or ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
            cwd=Path(__file__).resolve().parents[2],
        )

    def start(self, seconds: float = 30.0) -> None:
        """Returns when the server answers."""
        assert self._forker.stdin
        assert self._forker.stdout
        self._forker.stdin.write(b"start\n")
        self._forker.stdin.flush()
        self._group = int(self._forker.stdout.readline())
        end = time.monotonic() + seconds
        while not self._answers():
            assert time.monotonic() < end, "the server did not answer"
            time.sleep(0.005)  # between two looks at a condition

    def kill(self) -> None:
        """SIGKILL to every process of the server at one moment."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM to granian, as an operator does."""
        assert self._group is not None
        os.kill(self._group, signal.SIGTERM)

    def close(self) -> None:
        if self._group is not None:
            self._end(signal.SIGKILL)
        assert self._forker.stdin
        self._forker.stdin.close()
        self._forker.wait(timeout=10)
        self._log.close()

    def pids(self) -> list[int]:
        """Granian's parent and its worker; none once it has stopped by itself."""
        assert self._group is not None
        try:
            workers = Path(f"/proc/{self._group}/task/{self._group}/children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            return []
        return [self._group, *(int(pid) for pid in workers)]

    def _end(self, how: int) -> None:
        assert self._group is not None
        members = self.pids()
        with suppress(ProcessLookupError):  # it may have stopped in this moment
            os.killpg(self._group, how)
        while any(_lives(pid) for pid in members):
            time.sleep(0.001)  # between two looks at a condition
        self._group = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def _lives(pid: int) -> bool:
    """A process that ended but was not waited for yet holds no file and no lock any more."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


def forks() -> None:
    """The forking side: one line in, one server; its group's number out."""
    importlib.import_module("surveys.web")
    importlib.import_module("granian")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a killed server leaves nothing to wait for
    settings = reading_settings.load()
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(2, 1)
            if sys.argv[1]:
                module, _, function = sys.argv[1].rpartition(".")
                getattr(importlib.import_module(module), function)()
            try:
                serve(settings)
            finally:
                os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
