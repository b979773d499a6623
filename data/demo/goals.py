"""Gives each made-up pairing one to three goals with five agreed levels."""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np

from data.demo.answering import GOALS
from data.store.engine import Stores, writing
from data.store.people import Pairing, add_goal, pairings_of, programmes_kept


def set_goals(stores: Stores, rng: np.random.Generator) -> int:
    """Goals for every pairing of every programme; returns how many."""
    with writing(stores.raw) as connection:
        pairings: Iterable[Pairing] = [
            pairing
            for programme in programmes_kept(connection)
            for pairing in pairings_of(connection, programme.programme_id)
        ]
        n_goals = 0
        for pairing in pairings:
            for position in rng.choice(len(GOALS), int(rng.integers(1, 4)), replace=False):
                title, levels = GOALS[int(position)]
                add_goal(
                    connection,
                    pairing_id=pairing.pairing_id,
                    title=title,
                    levels=dict(zip(range(-2, 3), levels, strict=True)),
                    set_on=pairing.started_on + timedelta(days=14),
                    is_agreed=True,
                )
                n_goals += 1
    return n_goals
