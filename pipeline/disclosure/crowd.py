"""Says who stands behind one number, so that the gate can judge whether it may be shown."""

from collections.abc import Iterable
from dataclasses import dataclass

FEEDING = {"mentor": ("mentors",), "mentee": ("mentees",), "both": ("mentors", "mentees")}


@dataclass(frozen=True, kw_only=True)
class Key:
    """Which number: one metric, in one view and group, for one side."""

    metric: str
    view: str
    group: str
    side: str


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """The distinct people behind a number; `end` is -1 or 1 where all said the lowest or the highest."""

    mentors: frozenset[str] = frozenset()
    mentees: frozenset[str] = frozenset()
    end: int = 0

    def has(self, least: int, side: str) -> bool:
        """Whether every side that feeds a row of this side has enough people."""
        return all(len(getattr(self, feeding)) >= least for feeding in FEEDING[side])

    def is_safe_remainder(self, least: int, side: str) -> bool:
        """Whether what is left after subtracting all that is shown protects those in it: nobody, or enough."""
        return self.end == 0 and all(
            not getattr(self, feeding) or len(getattr(self, feeding)) >= least for feeding in FEEDING[side]
        )

    def __len__(self) -> int:
        return len(self.mentors | self.mentees)


def together(crowds: Iterable[Crowd]) -> Crowd:
    """Several crowds as one."""
    joined = [crowd for crowd in crowds if len(crowd)]
    ends = {crowd.end for crowd in joined}
    return Crowd(
        mentors=frozenset().union(*(crowd.mentors for crowd in joined)),
        mentees=frozenset().union(*(crowd.mentees for crowd in joined)),
        end=ends.pop() if len(ends) == 1 else 0,
    )
