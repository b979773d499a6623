"""Prints letters, for trying out."""

import sys

from surveys.channel import Letter, Outcome


class Console:
    """Whoever sees the terminal can answer for the people written to."""

    def send(self, letter: Letter) -> Outcome:
        sys.stdout.write(f"To: {letter.to}\nSubject: {letter.subject}\n\n{letter.text}\n{'-' * 72}\n")
        sys.stdout.flush()
        return Outcome(state="accepted", said="printed")

    def close(self) -> None:
        """It holds nothing."""
