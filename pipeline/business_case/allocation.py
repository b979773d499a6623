"""Draws who gets a place, so that anybody can draw it again from the log."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from data.errors import RapportError

Method = Literal["lottery", "wait-list", "stepped-wedge"]
PLACE, NO_PLACE, WAITS = "place", "no place", "waits"
NEVER = 0  # the step of those who never start
WHOLE = 2**256  # SHA-256 values are drawn from 0 to this


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """Who starts when, and all that is needed to draw it again.

    `table`, one row a person, sorted: person, stratum ("" without strata), arm ("place", "no place" or "waits"; in a
    stepped wedge "step 1", "step 2", …), step (the period in which the person starts, from 1; 0 for never).
    `digest`: SHA-256 of everything that went into the draw.
    """

    table: pd.DataFrame
    method: Method
    places: int
    steps: int
    seed: str
    strata: tuple[str, ...]
    digest: str

    @property
    def log(self) -> dict[str, str | int]:
        """What is written down on the day of the draw; with the list of people it gives the table again."""
        return {
            "method": self.method,
            "places": self.places,
            "steps": self.steps,
            "seed": self.seed,
            "strata": ",".join(self.strata),
            "people": len(self.table),
            "digest": self.digest,
        }


def allocate(
    people: pd.DataFrame,
    *,
    places: int,
    method: Method = "lottery",
    strata: Iterable[str] = (),
    steps: int | None = None,
    seed: int | str,
    person: str = "person",
) -> Allocation:
    """A drawn allocation: the same people, seed and method always give the same table, in any order of the rows.

    "lottery": `places` people get one. "wait-list": they start in period 1, the others wait and start in period 2.
    "stepped-wedge": everyone starts, in `steps` groups as even as can be, each of at most `places`. Within each
    stratum (people alike in the columns `strata`) the shares are those of everyone, and everyone's chance is the same
    to the last digit: strata are laid end to end and the places spread over them at even distances from a drawn
    start. People of a stratum are lined up by the SHA-256 of digest and person, which needs no generator of random
    numbers and can be redone with any tool.
    """
    keys = tuple(strata)
    _check(people, person, keys, places, method, steps)
    n_steps = {"lottery": 1, "wait-list": 2}.get(method, steps or -(-len(people) // places))
    listed = _listed(people, person, keys)
    digest = _digest(listed, (method, str(places), str(n_steps), str(seed), *keys))
    lined_up = _lined_up(listed, digest)
    arm, step = _arms(len(lined_up), places, n_steps, method, digest)
    table = lined_up.assign(arm=pd.Series(arm, dtype="str"), step=step).sort_values("person", ignore_index=True)
    return Allocation(
        table=table, method=method, places=places, steps=n_steps, seed=str(seed), strata=keys, digest=digest
    )


def check(allocation: Allocation, people: pd.DataFrame, *, person: str = "person") -> tuple[str, ...]:
    """What does not fit when the draw is made again from the people and the log; empty where all fits."""
    steps = allocation.steps if allocation.method == "stepped-wedge" else None
    again = allocate(
        people,
        places=allocation.places,
        method=allocation.method,
        strata=allocation.strata,
        steps=steps,
        seed=allocation.seed,
        person=person,
    )
    found = []
    if again.digest != allocation.digest:
        found.append("The people, their strata or the settings are not those of the draw.")
    drawn, stated = (one.table.set_index("person") for one in (again, allocation))
    if set(drawn.index) != set(stated.index):
        found.append(f"{len(set(drawn.index) ^ set(stated.index))} people are in only one of the two lists.")
    elif not drawn.equals(stated.loc[drawn.index]):
        moved = (drawn[["arm", "step"]] != stated.loc[drawn.index, ["arm", "step"]]).any(axis=1).sum()
        found.append(f"{moved} people are not where the draw put them.")
    return tuple(found)


def _arms(n: int, places: int, steps: int, method: Method, digest: str) -> tuple[np.ndarray, np.ndarray]:
    """Arm and step of everyone along the line."""
    if method == "stepped-wedge":
        step = 1 + np.arange(n) % steps  # in turn along a line that was drawn
        return np.array([f"step {number}" for number in step], dtype=object), step
    has_place = _spread(n, places, digest)
    waits = method == "wait-list"
    return np.where(has_place, PLACE, WAITS if waits else NO_PLACE), np.where(has_place, 1, 2 if waits else NEVER)


def _listed(people: pd.DataFrame, person: str, strata: tuple[str, ...]) -> pd.DataFrame:
    names = people[person].astype(str).to_numpy()
    # A stratum's name is its values, each with its length before it, so that no two sets of values look alike.
    values = [people[column].astype(str).tolist() for column in strata]
    stratum = [" ".join(f"{len(value)}:{value}" for value in row) for row in zip(*values, strict=True)]
    listed = pd.DataFrame({"person": pd.Series(names, dtype="str"), "key": stratum or ""})
    labels = [" / ".join(row) for row in zip(*values, strict=True)]
    listed["stratum"] = pd.Series(labels or "", index=listed.index, dtype="str")
    return listed.sort_values("person", ignore_index=True)


def _digest(listed: pd.DataFrame, settings: tuple[str, ...]) -> str:
    """SHA-256 over the sorted list and the settings, each text with its length before it."""
    hashed = hashlib.sha256()
    for text in (*settings, *listed["person"], *listed["key"]):
        encoded = text.encode()
        hashed.update(f"{len(encoded)}:".encode() + encoded)
    return hashed.hexdigest()


def _lined_up(listed: pd.DataFrame, digest: str) -> pd.DataFrame:
    """Strata in a drawn order, and people within each in a drawn order."""
    of_stratum = {key: _number(digest, "stratum", key) for key in listed["key"].unique()}
    stratum = [of_stratum[key] for key in listed["key"]]
    place = [_number(digest, "person", name) for name in listed["person"]]
    order = sorted(range(len(listed)), key=lambda row: (stratum[row], place[row]))
    return listed.iloc[order].reset_index(drop=True).drop(columns="key")


def _spread(n: int, places: int, digest: str) -> np.ndarray:
    """`places` of `n` at even distances, from a drawn start: everyone's chance is places / n."""
    start = _number(digest, "start", "") * n
    passed = np.array([(start + row * places * WHOLE) // (n * WHOLE) for row in range(n + 1)])
    return np.diff(passed) > 0


def _number(digest: str, purpose: str, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{digest}\n{purpose}\n{name}".encode()).digest())


def _check(
    people: pd.DataFrame, person: str, strata: tuple[str, ...], places: int, method: str, steps: int | None
) -> None:
    missing = [name for name in (person, *strata) if name not in people.columns]
    if missing:
        raise RapportError(f"The list of people has no column {missing[0]}.")
    if method not in get_args(Method):
        raise RapportError(f"{method!r} is no way to allocate; expected {', '.join(get_args(Method))}.")
    if people[[person, *strata]].isna().any(axis=None) or people[person].astype(str).duplicated().any():
        raise RapportError("Expected each person once, with a value for every stratum.")
    if places < 1 or len(people) < 2 or (steps is not None and steps < 2):
        raise RapportError("Expected at least one place, two people and two steps.")
    if method == "stepped-wedge":
        if -(-len(people) // (steps or -(-len(people) // places))) > places:
            raise RapportError(f"{len(people)} people do not fit into {steps} steps of {places} places.")
    elif steps is not None:
        raise RapportError("Only a stepped wedge has steps.")
    elif places >= len(people):
        raise RapportError("There are places for everyone, so there is nothing to draw.")
