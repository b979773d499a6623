"""Says whether enough people's comments lie in a pool, and in which order they are read."""

import hmac
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

from data.errors import RapportError

DECISION = "comment_n"
LEAST = 10


class Comment(Protocol):
    """What a pool needs to know of a comment; `data.store.comments.TickedComment` has it."""

    @property
    def response_id(self) -> str: ...
    @property
    def person_id(self) -> str: ...


Some = TypeVar("Some", bound=Comment)


def comment_n(decisions: Mapping[str, Any]) -> int:
    """The least distinct people of a pool, over both sides together; a programme may only raise it."""
    value = decisions.get(DECISION, LEAST)
    if not isinstance(value, int) or isinstance(value, bool) or value < LEAST:
        raise RapportError(f"The threshold {DECISION} must be a whole number from {LEAST} up; it may only be raised.")
    return value


def n_people(comments: Iterable[Comment]) -> int:
    """Distinct people; a mentor of three mentees who comments three times is one."""
    return len({each.person_id for each in comments})


def shuffled(comments: Iterable[Some], *, key: str, of: str) -> list[Some]:
    """The comments in an order that the key and `of` alone decide: not time, side, person, round or length."""
    return sorted(comments, key=lambda each: _keyed(key, f"order of {of}", each.response_id))


def label(comment: Comment, *, key: str) -> str:
    """What a comment is called in the file that a person reads; without the key it leads to nobody."""
    return _keyed(key, "label of a comment", comment.response_id)[:16]


def _keyed(key: str, purpose: str, response_id: str) -> str:
    return hmac.new(f"comments {key}".encode(), f"{purpose} {response_id}".encode(), "sha256").hexdigest()
