"""Tries every way in to lower, unlock or switch off a threshold, at random, and says what it found.

Programmes saved again, decisions changed, imports and their undoing, files that move people to other departments,
deletion of what is old. After each step what holds must still hold. The long form:
`python -m tests.attacks.configuration --houses 500 --steps 400`.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select

from data import decisions as rules
from data import keeping
from data import settings as reading_settings
from data.errors import RapportError
from data.imports.load import import_file
from data.settings import Settings
from data.store import decisions as kept
from data.store import people
from data.store.batches import Change, record_changes, start_batch, undo_batch, write_rows
from data.store.engine import Connection, StoreError, migrate, open_stores, reading, writing
from data.store.people import Pairing, Person, Programme
from data.tables import batches as kept_batches
from data.tables import invitations, programmes
from pipeline.deciding import keep_groups, keep_thresholds
from pipeline.disclosure.thresholds import thresholds
from surveys import outlook
from surveys import rounds as calendar
from surveys.questionnaire import ours
from tests.conftest import KEY

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
DECIDED = {"score_n": 7, "staying_n": 22, "two_way_n": 11, "comment_n": 12, "attributes": ["department", "cohort"]}
GROUPS = {"department": {"North": "North", "East": "East / South", "South": "East / South", "*": "East / South"}}
REPORTED = {"North", "East / South"}
STEPS = 130
REFUSED = (RapportError, StoreError, TypeError, ValueError)
Step = Callable[["House"], None]


class House:
    """One installation with a programme of twelve pairings; `rng` decides what is tried."""

    def __init__(self, home: Path, seed: int, *, is_open: bool = True) -> None:
        self.home, self.rng, self.now, self.n_rounds = home, Random(seed), NOW, 0
        self.taken: set[Step] = set()
        reading_settings.make_home(home)
        (home / "secret.key").write_text(KEY)
        self.stores = open_stores(Settings(home=home, secret_key=KEY))
        migrate(self.stores)
        with writing(self.stores.raw) as connection:
            own = {**DECIDED, "groups": GROUPS}
            people.save_programme(connection, Programme(programme_id="m", name="M", created_at=NOW, decisions=own))
            for k in range(12):
                for side in ("mentor", "mentee"):
                    department = ("North", "East", "South")[k % 3]
                    people.save_person(connection, Person(person_id=f"{side}{k}", name=side, department=department))
                self.pair(connection, k)
            if is_open:
                self.open_round(connection)
        self.cohorts = self._cohorts()

    def pair(self, connection: Connection, k: int, cohort: str = "spring") -> None:
        new = Pairing(
            pairing_id=f"P{k}", programme_id="m", mentor_id=f"mentor{k}", mentee_id=f"mentee{k}",
            started_on=date(2026, 2, 1), cohort=cohort,
        )  # fmt: skip
        people.save_pairing(connection, new)

    def open_round(self, connection: Connection) -> None:
        self.n_rounds += 1
        opens_at = self.now + timedelta(days=self.n_rounds)
        calendar.open_round(
            connection, questionnaire=ours(), round_id=f"R{self.n_rounds}", programme_id="m", pulse="pulse",
            opens_at=opens_at, closes_at=opens_at + timedelta(days=14),
        )  # fmt: skip

    def any_decisions(self) -> dict[str, Any]:
        """Some entries, each with a value that somebody might try."""
        counts = (0, 1, 4, 5, 6, 7, 10, 12, 20, 22, -3, 10**7, True, False, None, "5", 5.0, [], {}, float("nan"))
        groups = (
            {}, None, [], {"department": {}}, {"department": {"*": ""}}, {"department": {"North": "North"}},
            {"department": {f"P{self.rng.randrange(9)}": "Hand-picked", "*": "Rest"}}, {"salary": {"a": "b"}},
            {"cohort": {"spring": "A"}}, GROUPS, {"department": {**GROUPS["department"], "New": "New"}},
        )  # fmt: skip
        attributes = (
            [], None, ["location"], ["department"], ["cohort", "department"], ["department", "cohort", "grade"],
            "department", ["salary"], ["department", "cohort"],
        )  # fmt: skip
        values: dict[str, tuple[Any, ...]] = {
            **dict.fromkeys(rules.LEAST, counts), "groups": groups, "attributes": attributes,
            "decided": ({}, None, {"groups": {"by": "x", "at": "y"}}), "respondents_n": (0, 1), "locked": (False,),
            "cadence": ({"every_weeks": 1}, None),
        }  # fmt: skip
        names = self.rng.sample(sorted(values), self.rng.randint(0, 4))
        return {name: self.rng.choice(values[name]) for name in names}

    def _cohorts(self) -> dict[str, str]:
        with reading(self.stores.raw) as connection:
            return {row.pairing_id: row.cohort for row in connection.execute(select(invitations))}

    def faults(self) -> list[str]:
        """What does not hold any more."""
        with reading(self.stores.raw) as connection:
            own = connection.execute(
                select(programmes.c.decisions).where(programmes.c.programme_id == "m")
            ).scalar_one()
            asked = connection.execute(select(invitations)).all()
        try:
            found = thresholds(own)
        except RapportError as error:
            return [f"what is kept is not allowed: {error}"]
        if not self.n_rounds:
            least = [name for name, n in rules.LEAST.items() if getattr(found, name) < n]
            return [f"{name} is below its least" for name in least]
        wanted = {**DECIDED, "attributes": tuple(DECIDED["attributes"])}
        odd = [f"{name} is {getattr(found, name)}" for name, value in wanted.items() if getattr(found, name) != value]
        odd += ["the groups changed"] if own.get("groups") != GROUPS else []
        odd += [f"{row.department!r} is a reporting group" for row in asked if row.department not in REPORTED]
        moved = {row.pairing_id for row in asked if row.cohort != self.cohorts.get(row.pairing_id, row.cohort)}
        return odd + [f"{pairing_id} moved to another cohort" for pairing_id in sorted(moved)]


# --- the ways in -----------------------------------------------------------------------------------


def save_again(house: House) -> None:
    with writing(house.stores.raw) as connection:
        new = Programme(programme_id="m", name="M", created_at=NOW, decisions=house.any_decisions())
        people.save_programme(connection, new)


def change(house: House) -> None:
    with writing(house.stores.raw) as connection:
        kept.change(connection, "m", house.any_decisions())


def decide(house: House) -> None:
    own = house.any_decisions()
    if house.rng.random() < 0.5:
        keep_thresholds(house.stores, "m", own, by="HR", now=house.now)
    else:
        keep_groups(house.stores, "m", own.get("groups") or {}, by="HR", now=house.now)


def cadence(house: House) -> None:
    own = house.rng.choice([None, {}, {"starts_on": date(2027, 1, 4)}, house.any_decisions()])
    with writing(house.stores.raw) as connection:
        outlook.decide(connection, "m", own, house.now)


def import_programme(house: House) -> None:
    with writing(house.stores.raw) as connection:
        write_rows(connection, programmes, [{"programme_id": "m", "decisions": house.any_decisions()}], {})


def undo_programme(house: House) -> None:
    """A batch that says the programme was another before it."""
    with writing(house.stores.raw) as connection:
        row = dict(connection.execute(select(programmes).where(programmes.c.programme_id == "m")).mappings().one())
        after = {name: row[name] for name in ("programme_id", "name", "decisions")}
        before = {**after, "decisions": house.any_decisions()} if house.rng.random() < 0.8 else None
        batch = start_batch(connection, kind="pairings", file_name="x.csv", file_sha256="0" * 64, now=house.now)
        record_changes(
            connection, batch, [Change(table=programmes, key={"programme_id": "m"}, before=before, after=after)]
        )
        undo_batch(connection, batch, house.now)


def _hand_in(house: House, kind: str, header: str, rows: list[str]) -> None:
    path = house.home / f"{kind}.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    import_file(house.stores, kind=kind, path=path, now=house.now, key=KEY.encode())


def import_people(house: House) -> None:
    """A few people in a department of their own, and somebody new."""
    names = house.rng.choice(["Hand-picked", "North", "", "East / South", f"Department {house.rng.randrange(99)}"])
    chosen = house.rng.sample(range(12), 3)
    rows = [f"mentor{k},mentor,{names},Lyon" for k in chosen] + [f"mentee{k},mentee,{names}," for k in chosen]
    _hand_in(house, "people", "person_id,name,department,location", rows)


def import_pairings(house: House) -> None:
    """Pairings in a cohort of their own, in another programme, or with somebody else."""
    k, other = house.rng.randrange(14), house.rng.choice([0, 0, 0, 1])
    programme, cohort = house.rng.choice(["m", "m", "m", "other"]), house.rng.choice(["spring", "Hand-picked", ""])
    row = f"P{k},{programme},{cohort},mentor{k % 12},mentee{(k + other) % 12},2026-02-01"
    _hand_in(house, "pairings", "pairing_id,programme,cohort,mentor_id,mentee_id,started_on", [row])


def undo_an_import(house: House) -> None:
    with writing(house.stores.raw) as connection:
        known = list(connection.execute(select(kept_batches.c.batch_id)).scalars())
        undo_batch(connection, house.rng.choice(known or ["none"]), house.now)


def open_another_round(house: House) -> None:
    with writing(house.stores.raw) as connection:
        if 0 < house.n_rounds < 30:
            house.open_round(connection)


def tidy_up(house: House) -> None:
    """Years later everything that may go has gone."""
    later = house.now + timedelta(days=house.rng.choice([40, 400, 4000]))
    with writing(house.stores.raw) as connection:
        keeping.keep_times(connection, later)
    keeping.keep_access_times(house.stores, later)


WAYS: tuple[Step, ...] = (
    save_again, change, decide, cadence, import_programme, undo_programme, import_people, import_pairings,
    undo_an_import, open_another_round, tidy_up,
)  # fmt: skip


def attack(house: House, steps: int = STEPS, ways: tuple[Step, ...] = WAYS) -> list[str]:
    """The faults after the first step that leaves one; [] where every way in was refused or changed nothing."""
    for number in range(steps):
        way = house.rng.choice(ways)
        house.now += timedelta(minutes=1)
        try:
            way(house)
        except REFUSED as error:
            refused = type(error).__name__
        else:
            refused = "taken"
            house.taken.add(way)
        faults = house.faults()
        if faults:
            return [f"step {number}, {way.__name__} ({refused}): {fault}" for fault in faults]
    return []


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--houses", type=int, default=500)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    for seed in range(chosen.seed, chosen.seed + chosen.houses):
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as home:
            house = House(Path(home), seed, is_open=seed % 5 > 0)
            found = attack(house, chosen.steps)
            house.stores.dispose()
        if found:
            raise SystemExit(f"seed {seed}: {'; '.join(found)}")
        if seed % 10 == 0:
            sys.stdout.write(f"{seed - chosen.seed + 1} houses of {chosen.steps} steps: no way in\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
