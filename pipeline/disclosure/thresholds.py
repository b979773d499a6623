"""Reads from a programme's decisions how many people a number needs; never fewer than the defaults."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from data.errors import RapportError

ATTRIBUTES = ("cohort", "department", "grade", "location")
MOST_ATTRIBUTES = 2
RESPONDENTS_N = 10  # on a side; below, a programme is too small for any score of that side


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The least distinct people on every side that feeds a number, and the reporting attributes."""

    attributes: tuple[str, ...] = ()
    score_n: int = 5
    staying_n: int = 20
    two_way_n: int = 10
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
    counts = {name: _count(decisions, name) for name in ("score_n", "staying_n", "two_way_n")}
    attributes = tuple(decisions.get("attributes", ()))
    unknown = [name for name in attributes if name not in ATTRIBUTES]
    if unknown or len(attributes) > MOST_ATTRIBUTES or len(set(attributes)) < len(attributes):
        raise RapportError(
            f"A programme reports by at most {MOST_ATTRIBUTES} of {', '.join(ATTRIBUTES)}; "
            f"it decided on {', '.join(map(str, attributes))}."
        )
    return Thresholds(attributes=attributes, **counts)


def _count(decisions: Mapping[str, Any], name: str) -> int:
    least: int = getattr(DEFAULT, name)
    value = decisions.get(name, least)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise RapportError(f"The threshold {name} must be a whole number from {least} up; it may only be raised.")
    return value
