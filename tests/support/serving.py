"""Runs `rapport serve` as a process of its own on free ports, and waits until it answers."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def rapport_serves(home: Path) -> Iterator[dict[str, str]]:
    """Both servers over a home; gives the address of each by name."""
    ports = {"answers": free_port(), "dashboard": free_port()}
    environment = {**os.environ, **{f"RAPPORT_{name.upper()}_PORT": str(port) for name, port in ports.items()}}
    command = [sys.executable, "-m", "rapport", "--home", str(home), "serve"]
    with (home / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
            for address in addresses.values():
                _wait_for(f"{address}/readyz", process)
            yield addresses
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the servers ended while starting"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)  # between two looks at a condition
    raise AssertionError(f"{url} did not answer within {seconds} s")
