"""Stores answers that were given elsewhere, as one batch that can be told and undone."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from data import tables
from data.errors import RapportError
from data.imports.files import HandedIn
from data.imports.load import keep_refused
from data.imports.report import ImportReport, Refusal
from data.store import answers, batches, people, rounds
from data.store.answers import Submission
from data.store.batches import Change
from data.store.rounds import Invitation, Round


@dataclass(frozen=True, kw_only=True)
class Given:
    """One response from elsewhere: whose it is, and the submission but for its invitation."""

    pairing_id: str
    side: str
    submission: Submission


def store_given(
    connection: Connection,
    *,
    report: ImportReport,
    handed_in: HandedIn,
    of_round: Round,
    content: str,
    given: Sequence[Given],
    refused: Sequence[Refusal],
    now: datetime,
) -> ImportReport:
    """Store responses in this order, so that of one invitation's the last complete one counts.

    `content` is the questionnaire with the other tool's questions declared into it.
    """
    if rounds.read_round(connection, of_round.round_id) != of_round:
        raise RapportError(f"The round {of_round.round_id} was changed meanwhile; import the file again.")
    batch_id = batches.start_batch(
        connection, kind=report.kind, file_name=handed_in.name, file_sha256=handed_in.sha256, now=now
    )
    changes = _declare(connection, of_round, content)
    invited, new = _invitations(connection, of_round, given)
    changes += new
    for entry in given:
        invitation_id = invited[entry.pairing_id, entry.side].invitation_id
        submission = replace(entry.submission, invitation_id=invitation_id, batch_id=batch_id)
        receipt = answers.store_response(connection, submission)
        if not receipt.is_repeat:
            key = {"response_id": receipt.response_id}
            after = {"submission_id": submission.submission_id, "content_sha256": submission.content_sha256()}
            changes.append(Change(table=tables.responses, key=key, before=None, after=after))
    batches.record_changes(connection, batch_id, changes)
    keep_refused(connection, batch_id, refused)
    finished = replace(report, batch=batch_id, changed=len(changes))
    batches.finish_batch(connection, batch_id, finished.as_json())
    return finished


def _declare(connection: Connection, of_round: Round, content: str) -> list[Change]:
    rounds.replace_snapshot(connection, of_round.round_id, content)
    snapshot_id = rounds.read_round(connection, of_round.round_id).snapshot_id
    if snapshot_id == of_round.snapshot_id:
        return []
    return [
        Change(
            table=tables.rounds,
            key={"round_id": of_round.round_id},
            before={"snapshot_id": of_round.snapshot_id},
            after={"snapshot_id": snapshot_id},
        )
    ]


def _invitations(
    connection: Connection, of_round: Round, given: Iterable[Given]
) -> tuple[dict[tuple[str, str], Invitation], list[Change]]:
    """The invitation behind each response; who was asked by the other tool only gets one now."""
    invited = {(entry.pairing_id, entry.side): entry for entry in rounds.invitations_of(connection, of_round.round_id)}
    pairings = {entry.pairing_id: entry for entry in people.pairings_of(connection, of_round.programme_id)}
    everyone = {entry.person_id: entry for entry in people.people_of(connection, of_round.programme_id)}
    new: list[Invitation] = []
    for pairing_id, side in {(entry.pairing_id, entry.side): None for entry in given}:
        if (pairing_id, side) in invited:
            continue
        pairing = pairings[pairing_id]
        person = everyone[pairing.person(side)]
        made = Invitation(
            invitation_id=f"{of_round.round_id}:{pairing_id}:{side}",
            round_id=of_round.round_id,
            pairing_id=pairing_id,
            side=side,
            person_id=person.person_id,
            form=0,
            cohort=pairing.cohort or "",
            department=person.department or "",
            location=person.location or "",
            grade=person.grade or "",
        )
        invited[pairing_id, side] = made
        new.append(made)
    if new:
        rounds.invite(connection, new)
    return invited, [_invited(entry) for entry in new]


def _invited(entry: Invitation) -> Change:
    key = {"invitation_id": entry.invitation_id}
    return Change(table=tables.invitations, key=key, before=None, after=asdict(entry))
