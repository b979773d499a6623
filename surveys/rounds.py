"""Opens and closes rounds: freezes the questionnaire, invites both sides of every active pairing."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from random import Random

from data.errors import RapportError
from data.store import people, rounds
from data.store.engine import Connection
from data.store.people import Pairing
from data.store.rounds import Invitation, Round
from surveys.forms import assign_forms
from surveys.questionnaire import SIDES, Questionnaire


def open_round(
    connection: Connection,
    *,
    questionnaire: Questionnaire,
    round_id: str,
    programme_id: str,
    pulse: str,
    opens_at: datetime,
    closes_at: datetime,
    pairing_ids: Collection[str] | None = None,
) -> Round:
    """Open the next round of a programme, for every pairing active that day or for those named.

    The form that each person gets is drawn from the round's id.
    """
    if pulse not in questionnaire.pulses:
        raise RapportError(f"There is no pulse {pulse}; choose one of {', '.join(questionnaire.pulses)}.")
    if closes_at <= opens_at:
        raise RapportError("A round closes after it opens; the two times are the wrong way round.")
    earlier = rounds.rounds_of(connection, programme_id)
    _refuse_changed_wording(connection, questionnaire, earlier)
    content = questionnaire.to_json()
    new = Round(
        round_id=round_id,
        programme_id=programme_id,
        number=len(earlier) + 1,
        pulse=pulse,
        snapshot_id=rounds.keep_snapshot(connection, content),
        opens_at=opens_at,
        closes_at=closes_at,
    )
    rounds.open_round(connection, new, content)
    rounds.invite(connection, _invitations(connection, questionnaire, new, _asked(connection, new, pairing_ids)))
    return new


def invite_more(connection: Connection, of: Round, pairing_ids: Collection[str]) -> int:
    """Add pairings whose day came after the round opened; returns how many sides are new."""
    known = {invitation.pairing_id for invitation in rounds.invitations_of(connection, of.round_id)}
    more = _asked(connection, of, set(pairing_ids) - known)
    if not more:
        return 0
    questionnaire = Questionnaire.from_json(rounds.questionnaire_json(connection, of.round_id))
    later = f":{min(pairing.pairing_id for pairing in more)}"
    return rounds.invite(connection, _invitations(connection, questionnaire, of, more, later))


def _refuse_changed_wording(connection: Connection, questionnaire: Questionnaire, earlier: list[Round]) -> None:
    """An id that was asked keeps its meaning for good: another wording needs another id."""
    for snapshot_round in {entry.snapshot_id: entry for entry in earlier}.values():
        asked = Questionnaire.from_json(rounds.questionnaire_json(connection, snapshot_round.round_id))
        for question_id, question in asked.questions.items():
            now = questionnaire.questions.get(question_id)
            if now is not None and not now.means_the_same(question):
                raise RapportError(
                    f"The question {question_id} was asked in {snapshot_round.round_id} with another wording "
                    "or scale; give the new one an id of its own."
                )


def _asked(connection: Connection, new: Round, pairing_ids: Collection[str] | None) -> list[Pairing]:
    known = people.pairings_of(connection, new.programme_id)
    if pairing_ids is None:
        return [pairing for pairing in known if pairing.is_active_on(new.opens_at.date())]
    return [pairing for pairing in known if pairing.pairing_id in pairing_ids]


def _invitations(
    connection: Connection, questionnaire: Questionnaire, new: Round, active: list[Pairing], later: str = ""
) -> list[Invitation]:
    known = {person.person_id: person for person in people.people_of(connection, new.programme_id)}
    forms = {side: _forms(questionnaire, new, side, active, later) for side in SIDES}
    asked = [(pairing, side) for pairing in active for side in SIDES]
    return [
        Invitation(
            invitation_id=f"{new.round_id}:{pairing.pairing_id}:{side}",
            round_id=new.round_id,
            pairing_id=pairing.pairing_id,
            side=side,
            person_id=pairing.person(side),
            form=forms[side][pairing.pairing_id],
            cohort=pairing.cohort or "",
            department=known[pairing.person(side)].department or "",
            location=known[pairing.person(side)].location or "",
            grade=known[pairing.person(side)].grade or "",
        )
        for pairing, side in asked
    ]


def _forms(questionnaire: Questionnaire, new: Round, side: str, active: list[Pairing], later: str) -> dict[str, int]:
    """Forms are dealt to pairings, so that a mentor of three mentees answers three different ones.

    `later` tells those apart who are invited after the round opened; they are dealt to from another place.
    """
    ids = sorted(pairing.pairing_id for pairing in active)
    rng = Random(f"{new.round_id}:{side}{later}")  # noqa: S311 - a fair deal, not a secret
    return assign_forms(questionnaire, new.pulse, side, ids, new.number, rng)


def people_asked(invitations: list[Invitation]) -> dict[str, list[Invitation]]:
    """Invitations by person: someone in two pairings is one person and gets one mail."""
    by_person: dict[str, list[Invitation]] = defaultdict(list)
    for invitation in invitations:
        by_person[invitation.person_id].append(invitation)
    return dict(by_person)
