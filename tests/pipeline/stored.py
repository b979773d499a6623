"""Puts a made-up programme into the stores: pairings, closed rounds and what people said."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np

from data.store import people
from data.store.answers import Submission, store_response
from data.store.engine import Stores, writing
from data.store.people import Pairing, Person, Programme
from data.store.rounds import Invitation, Round, close_round, invite, keep_snapshot, open_round
from surveys.questionnaire import Questionnaire
from tests.pipeline.made_up import question, questionnaire

KEY = "k" * 48
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
DEPARTMENTS = ("north", "south", "east", "west")

ANCHORS = ("honest", "well_spent", "progress", "shared")
FROZEN = questionnaire(
    [
        question("honest", "trust", placing="anchor", principles=("P01",)),
        question("reliable", "trust", placing="rotating", principles=("P03",)),
        question("well_spent", "satisfaction", placing="anchor"),
        question("progress", "goals", placing="anchor"),
        question("shared", "expectations", placing="anchor", principles=("P05",)),
        question("learns", "mutual_learning", sides=("mentor",), placing="rotating", principles=("P30",)),
        question("gives", "mutual_learning", sides=("mentee",), placing="rotating", principles=("P31",)),
        question("future", "staying", placing="fixed", may_decline=True),
    ],
    {"pulse": ANCHORS, "kickoff": (*ANCHORS, "future")},
)
Said = Callable[[int, str, int, str], str | None]  # pairing number, side, round number, question → value


def someone(k: int, side: str, number: int, question_id: str) -> str | None:
    """An opinion of one's own, kept over rounds; one in seven is silent."""
    rng = np.random.default_rng([k, side == "mentor", sum(question_id.encode()), number])
    if np.random.default_rng([k, side == "mentor", number]).random() < 1 / 7:
        return None
    return str(int(np.clip(np.round(rng.normal(3.6 + 0.3 * (k % 3), 0.9)), 1, 5)))


def make_programme(
    stores: Stores, programme_id: str = "P", *, n: int = 48, attributes: tuple[str, ...] = ("department",)
) -> None:
    """`n` pairings; every sixth mentor has a second mentee. Departments go round among the pairings."""
    with writing(stores.raw) as connection:
        decisions = {"attributes": list(attributes), "score_n": 5, "staying_n": 20, "two_way_n": 10}
        programme = Programme(
            programme_id=programme_id, name=f"Programme {programme_id}", created_at=START, decisions=decisions
        )
        people.save_programme(connection, programme)
        for k in range(n):
            mentor = k - 1 if k % 6 == 5 else k
            for side, number in (("mentor", mentor), ("mentee", k)):
                people.save_person(
                    connection,
                    Person(
                        person_id=f"{programme_id}-{side}-{number}",
                        name=f"{side} {number}",
                        department=DEPARTMENTS[number % 4],
                    ),
                )
            people.save_pairing(
                connection,
                Pairing(
                    pairing_id=f"{programme_id}-{k}",
                    programme_id=programme_id,
                    mentor_id=f"{programme_id}-mentor-{mentor}",
                    mentee_id=f"{programme_id}-mentee-{k}",
                    started_on=date(2026, 1, 1),
                    cohort="spring" if k % 2 else "autumn",
                    ended_on=date(2026, 2, 15) if k == 0 else None,
                ),
            )


def ask(
    stores: Stores,
    number: int,
    programme_id: str = "P",
    *,
    said: Said = someone,
    pulse: str = "pulse",
    frozen: Questionnaire = FROZEN,
    is_closed: bool = True,
) -> str:
    """One round of everybody, with what they said; returns its id."""
    opens_at = START + timedelta(days=30 * number)
    asked = Round(
        round_id=f"{programme_id}-R{number}",
        programme_id=programme_id,
        number=number,
        pulse=pulse,
        snapshot_id="",
        opens_at=opens_at,
        closes_at=opens_at + timedelta(days=7),
    )
    with writing(stores.raw) as connection:
        content = frozen.to_json()
        snapshot_id = keep_snapshot(connection, content)
        open_round(connection, Round(**{**vars(asked), "snapshot_id": snapshot_id}), content)
        for k, pairing in enumerate(sorted(people.pairings_of(connection, programme_id), key=_number)):
            for side in ("mentor", "mentee"):
                _answer(connection, asked, pairing, side, k, said, frozen)
        if is_closed:
            close_round(connection, asked.round_id, asked.closes_at)
    return asked.round_id


def _number(pairing: Pairing) -> int:
    return int(pairing.pairing_id.rpartition("-")[2])


def _answer(
    connection: object, asked: Round, pairing: Pairing, side: str, k: int, said: Said, frozen: Questionnaire
) -> None:
    person = people.person(connection, pairing.person(side))  # type: ignore[arg-type]
    invitation = Invitation(
        invitation_id=f"{asked.round_id}:{pairing.pairing_id}:{side}",
        round_id=asked.round_id,
        pairing_id=pairing.pairing_id,
        side=side,
        person_id=person.person_id,
        form=0,
        cohort=pairing.cohort or "",
        department=person.department or "",
    )
    invite(connection, [invitation])  # type: ignore[arg-type]
    of_side = [each.id for each in frozen.questions.values() if side in each.sides]
    values = {id_: said(k, side, asked.number, id_) for id_ in of_side}
    told = {id_: value for id_, value in values.items() if value is not None}
    if told:
        submission = Submission(
            invitation_id=invitation.invitation_id,
            submission_id=invitation.invitation_id,
            received_at=asked.opens_at + timedelta(days=1),
            source="page",
            answers=told,
        )
        store_response(connection, submission)  # type: ignore[arg-type]
