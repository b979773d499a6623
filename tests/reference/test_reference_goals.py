"""Goal attainment scaling against Kiresuk & Sherman (1968) and Turner-Stokes & Williams (2010)."""

from pipeline.goals import attainment_t
from tests.support.authority import agree


def test_attainment_t() -> None:
    found = {
        f"GAS T, {n} goals all {level}": attainment_t([level] * n)
        for n, level in ((3, -2), (4, -2), (5, -2), (4, -1), (5, -1))
    }
    found |= {"GAS T all goals 0": attainment_t([0, 0, 0]), "GAS T single goal +1": attainment_t([1])}
    agree(found, "pipeline.goals.attainment_t")
