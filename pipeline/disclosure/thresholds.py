"""Reads from a programme's decisions how many people a number needs; never fewer than the defaults."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from data.decisions import ATTRIBUTES, LEAST, settled

__all__ = ["ATTRIBUTES", "DEFAULT", "RESPONDENTS_N", "Thresholds", "thresholds"]

RESPONDENTS_N = 10  # on a side; below, a programme is too small for any score of that side


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The least distinct people on every side that feeds a number, and the reporting attributes.

    `comment_n` counts people of both sides together.
    """

    attributes: tuple[str, ...] = ()
    score_n: int = LEAST["score_n"]
    staying_n: int = LEAST["staying_n"]
    two_way_n: int = LEAST["two_way_n"]
    comment_n: int = LEAST["comment_n"]
    respondents_n: int = RESPONDENTS_N

    def least(self, minimum_n: int) -> int:
        """What a metric with this minimum of its own needs."""
        own = self.staying_n if minimum_n >= DEFAULT.staying_n else self.score_n
        return max(own, minimum_n)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "attributes": list(self.attributes)}


DEFAULT = Thresholds()


def thresholds(decisions: Mapping[str, Any]) -> Thresholds:
    """The thresholds of a programme's decisions; entries that are not about numbers are left alone."""
    found = settled(decisions)
    return Thresholds(attributes=found["attributes"], **{name: found[name] for name in LEAST})
