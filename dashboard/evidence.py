"""Finds the numbers behind the scores in a release: reliability, the two sides' gap, silence, goals."""

from dataclasses import dataclass

from dashboard.findings import CONSTRUCT, Numbers, Reading, readings
from pipeline.published import PROGRAMME, catalogue

LEVEL_FROM, CHANGE_FROM = 0.70, 0.60  # generalizability from which a person's level or change may be told


@dataclass(frozen=True)
class Evidence:
    """The newest release's evidence by (metric, construct or "all", side)."""

    numbers: Numbers
    found: dict[tuple[str, str, str], Reading]

    def of(self, metric: str, group: str, side: str) -> Reading | None:
        """One number that is shown; None where it is withheld or was not asked."""
        reading = self.found.get((metric, group, side))
        return reading if reading is not None and reading.shown else None

    def constructs(self, metric: str) -> list[str]:
        """The constructs that have this number shown for some side, in the order of the catalogue."""
        held = {group for (name, group, _), each in self.found.items() if name == metric and each.shown}
        return [construct for construct in _construct_order() if construct in held]

    def withholds(self, metric: str) -> bool:
        """Whether a construct was asked whose number is not shown: rotating ones stand together in one row."""
        return any(
            name == metric and each.view == CONSTRUCT and not each.shown for (name, _, _), each in self.found.items()
        )

    def verdict(self, about: str, construct: str, side: str) -> str | None:
        """The word that a quality check said."""
        for each in self.numbers.latest.verdicts:
            if (each.about, each.construct, each.side) == (about, construct, side):
                return str(each.verdict)
        return None

    def told_of_a_person(self, construct: str, side: str) -> str:
        """The key of the words that say what a person may be told of their own answers."""
        level, change = (self.of(f"reliability_{name}", construct, side) for name in ("level", "change"))
        if level is None or change is None:
            return "q_too_few"
        is_level, is_change = level.numbers[0] >= LEVEL_FROM, change.numbers[0] >= CHANGE_FROM
        return f"q_{'level' if is_level else 'nolevel'}_{'change' if is_change else 'nochange'}"


def evidence(numbers: Numbers) -> Evidence:
    """Everything behind the newest release's scores."""
    newest = numbers.select(release=numbers.latest.id)
    rows = newest[newest["view"].isin([CONSTRUCT, PROGRAMME])]
    return Evidence(numbers, {(each.metric, each.group, each.side): each for each in readings(rows)})


def _construct_order() -> list[str]:
    own = [metric.constructs[0] for metric in catalogue().values() if len(metric.constructs) == 1]
    return [construct for construct in own if "/" not in construct]


def metric_of(construct: str) -> str:
    """The metric whose label names a construct."""
    return next(
        metric.id for metric in catalogue().values() if metric.constructs == (construct,) and "/" not in construct
    )
