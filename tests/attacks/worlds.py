"""Draws random programmes for the attackers: tiny to large, nested and lopsided, with ceilings and low scorers."""

from collections.abc import Iterator

import numpy as np

from pipeline.demonstration.programme import Made, Plan, make

# Pairings of each kind of programme, and how often a long run draws it.
SIZES = {"tiny": (4, 20), "small": (20, 60), "middle": (60, 200), "large": (200, 700), "huge": (1500, 2500)}
OFTEN = {"tiny": 0.30, "small": 0.35, "middle": 0.27, "large": 0.07, "huge": 0.01}


def kinds(n: int, rng: np.random.Generator) -> Iterator[str]:
    """The kind of each of n programmes."""
    yield from rng.choice(list(OFTEN), n, p=list(OFTEN.values()))


def plan(kind: str, rng: np.random.Generator) -> Plan:
    """One random programme of a kind."""
    n_pairings = int(rng.integers(*SIZES[kind]))
    is_big = kind in ("large", "huge")
    groups = _groups(n_pairings, rng)
    return Plan(
        n_pairings=n_pairings,
        n_rounds=1 if is_big else int(rng.choice([1, 1, 2, 3, 4, 5, 6], p=[0.3, 0.3, 0.2, 0.08, 0.04, 0.04, 0.04])),
        groups=groups,
        reported=tuple(groups)[: rng.integers(0, 3)],
        nested=float(rng.choice([0.0, 0.5, 0.9, 1.0])),
        mean=float(rng.uniform(15, 95)),
        spread=float(rng.choice([2.0, 10.0, 20.0, 30.0])),
        between=float(rng.choice([0.0, 5.0, 20.0])),
        unanimous=float(rng.choice([0.0, 0.0, 0.3])),
        silent=float(rng.choice([0.0, 0.02, 0.2, 0.5])),
        unchanged=float(rng.choice([0.0, 0.8, 1.0])),
        joining=float(rng.choice([0.0, 0.02, 0.2])),
        leaving=float(rng.choice([0.0, 0.02, 0.2])),
        erased=float(rng.choice([0.0, 0.02])),
        most_mentees=int(rng.choice([1, 1, 3])),
        guide_of_five=bool(rng.random() < 0.3),
        rotating=0 if is_big or rng.random() < 0.8 else 3,
    )


def programme(kind: str, seed: int) -> Made:
    """The programme of a seed."""
    rng = np.random.default_rng(seed)
    return make(plan(kind, rng), rng)


def _groups(n_pairings: int, rng: np.random.Generator) -> dict[str, tuple[float, ...]]:
    """How large the groups of each attribute are, in an order of their own: lopsided, alike, or between."""
    most = max(2, min(20, n_pairings // 3))
    names = rng.permutation(["department", "location", "grade"])
    return {
        str(name): tuple(rng.dirichlet(np.full(rng.integers(2, most + 1), rng.choice([0.5, 2.0, 50.0]))).tolist())
        for name in names
    }
