"""The one error that a person reads: a sentence, no traceback."""


class RapportError(Exception):
    """A bad request or setting, told in one sentence that says what was expected."""

    def __init__(self, sentence: str) -> None:
        super().__init__(" ".join(sentence.split()))
