"""Writes letters as .eml files into a folder, for trying out and for a mail program that picks them up."""

import os
import re
from pathlib import Path

from surveys.channel import Letter, Outcome


class Folder:
    """A letter's file is named after its Message-ID, so that sending it again changes nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, letter: Letter) -> Outcome:
        name = re.sub(r"[^A-Za-z0-9.-]", "-", letter.header_id.strip("<>"))
        path = self._folder / f"{name}.eml"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(path, letter.mime)
        except OSError as error:
            return Outcome(state="later", said=f"the folder cannot be written ({type(error).__name__})")
        return Outcome(state="accepted", said="written")

    def close(self) -> None:
        """It holds nothing."""

    def _write(self, path: Path, content: bytes) -> None:
        """All of it or nothing, and still there after a power cut."""
        half = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
