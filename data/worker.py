"""Names a working process, and says of another's name whether that process still lives."""

import os
import secrets
import socket
from functools import cache
from pathlib import Path

PROC = Path("/proc")
STARTED = 19  # the place of a process's start time in /proc/PID/stat, counted after its name


def own_name() -> str:
    """A name for this process that no other has or had: machine, process, when it started, a random end."""
    pid = os.getpid()
    return f"{_machine()}:{pid}:{_started(pid) or 0}:{secrets.token_hex(4)}"


def has_died(name: str) -> bool | None:
    """Whether the process of that name is gone; None where this machine cannot know."""
    parts = name.split(":")
    if len(parts) != 4 or parts[0] != _machine() or not PROC.exists():
        return None
    return _started(int(parts[1])) != int(parts[2])


def _started(pid: int) -> int | None:
    """Clock ticks from the machine's start to the process's; a reused number has another."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[STARTED])


@cache
def _machine() -> str:
    """This machine since its last start, within its own process space."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = os.stat(PROC / "self/ns/pid").st_ino
    except OSError:
        return socket.gethostname()[:20].replace(":", "-")
    return f"{boot[:8]}-{space}"
