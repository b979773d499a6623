"""Says who stands behind one number, so that the gate can judge whether it may be shown."""

from collections.abc import Container, Iterable
from dataclasses import dataclass

# A number that rests on the mentees of fewer mentors would be a score of those mentors.
LEAST_GUIDES = 3
PROGRAMME = "all"  # the view, and its one group, of everybody
TWO_WAY = " × "  # joins the names of two attributes, and of two groups
MERGED = " + "  # joins the names of groups that are told as one
FEEDING = {"mentor": ("mentors",), "mentee": ("mentees",), "both": ("mentors", "mentees")}


WITHHELD = "Too few people to protect. Here is the programme result instead."


@dataclass(frozen=True, kw_only=True)
class Key:
    """Which number: one metric, in one view and group, for one side."""

    metric: str
    view: str
    group: str
    side: str

    @property
    def is_two_way(self) -> bool:
        return TWO_WAY in self.view

    def parts_among(self, groups: Container[str]) -> list[str]:
        """The groups of an attribute that this number is of: itself, or those that it puts together."""
        return [self.group] if self.group in groups else self.group.split(MERGED)


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """The distinct people behind a number, and `guides`, the mentors of the pairings that it is about.

    `end` is -1 or 1 where all are so near the lowest or the highest that the number tells it of each of them.
    """

    mentors: frozenset[str] = frozenset()
    mentees: frozenset[str] = frozenset()
    guides: frozenset[str] = frozenset()
    end: int = 0

    def has(self, least: int, side: str) -> bool:
        """Whether every side that feeds a row of this side has enough people, of enough mentors."""
        return not self._is_of_few() and all(len(getattr(self, feeding)) >= least for feeding in FEEDING[side])

    def is_safe_remainder(self, least: int, side: str) -> bool:
        """Whether what is left after subtracting all that is shown protects those in it: nobody, or enough."""
        return (
            self.end == 0
            and not self._is_of_few()
            and all(not getattr(self, feeding) or len(getattr(self, feeding)) >= least for feeding in FEEDING[side])
        )

    def holds(self, other: "Crowd") -> bool:
        return other.mentors <= self.mentors and other.mentees <= self.mentees

    def without(self, other: "Crowd") -> "Crowd":
        """What is left after subtracting another."""
        return Crowd(mentors=self.mentors - other.mentors, mentees=self.mentees - other.mentees)

    def _is_of_few(self) -> bool:
        return 0 < len(self.guides) < LEAST_GUIDES

    def __len__(self) -> int:
        return len(self.mentors | self.mentees)


def together(crowds: Iterable[Crowd]) -> Crowd:
    """Several crowds as one."""
    joined = [crowd for crowd in crowds if len(crowd)]
    ends = {crowd.end for crowd in joined}
    return Crowd(
        mentors=frozenset().union(*(crowd.mentors for crowd in joined)),
        mentees=frozenset().union(*(crowd.mentees for crowd in joined)),
        guides=frozenset().union(*(crowd.guides for crowd in joined)),
        end=ends.pop() if len(ends) == 1 else 0,
    )


Shown = dict[Key, bool]  # whether each number is shown
