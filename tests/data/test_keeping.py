"""Keeping times: what has had its time goes, what is younger stays."""

from datetime import date, timedelta

from sqlalchemy import func, insert, select, update

from data import tables
from data.keeping import keep_access_times, keep_times
from data.store import answers, audit, rounds
from data.store.answers import Submission
from data.store.engine import reading, writing
from tests.support import cast

LATER = cast.CLOSES + timedelta(days=1)


def count(engine, table) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def answered(stores) -> None:
    cast.ada_and_ben(stores)
    submission = Submission(
        invitation_id="R1:P1:mentee",
        submission_id="s1",
        received_at=cast.NOON,
        source="page",
        answers={"T01": "4"},
        comment="a comment",
    )
    with writing(stores.raw) as connection:
        answers.store_response(connection, submission)
        rounds.close_round(connection, "R1", cast.CLOSES)


def kept(stores, now) -> str:
    with writing(stores.raw) as connection:
        return keep_times(connection, now)


def test_answers_go_a_year_after_the_programmes_last_pairing_ended(stores):
    answered(stores)
    with writing(stores.raw) as connection:
        ended = update(tables.pairings).where(tables.pairings.c.programme_id == cast.MENTORING)
        connection.execute(ended.values(ended_on=date(2026, 6, 30)))
    assert "answers" not in kept(stores, cast.OPENS.replace(year=2027, month=6, day=30))
    assert count(stores.raw, tables.answers) == 1
    assert "1 answers deleted" in kept(stores, cast.OPENS.replace(year=2027, month=7, day=2))
    assert count(stores.raw, tables.answers) == 0
    with reading(stores.raw) as connection:
        assert connection.execute(select(tables.responses.c.comment)).scalars().all() == [None]
        assert len(rounds.invitations_of(connection, "R1")) == 2  # who was asked stays


def test_a_programme_that_still_runs_keeps_its_answers(stores):
    answered(stores)
    kept(stores, LATER + timedelta(days=2000))
    assert count(stores.raw, tables.answers) == 1


def test_drafts_of_closed_rounds_and_old_links_go(stores):
    answered(stores)
    with writing(stores.raw) as connection:
        draft = {"draft_id": "d", "invitation_id": "R1:P1:mentor", "fields": {}, "saved_at": cast.NOON}
        connection.execute(insert(tables.drafts).values(draft))
    said = kept(stores, LATER)
    assert said == "1 drafts deleted"
    assert count(stores.raw, tables.links) == 2
    assert kept(stores, LATER + timedelta(days=31)) == "2 links deleted"


def test_audit_entries_go_after_two_years(stores):
    with writing(stores.access) as connection:
        for days in (0, 800):
            audit.note(connection, at=cast.OPENS + timedelta(days=days), who="cleo", action="looked", about="")
    assert keep_access_times(stores, cast.OPENS + timedelta(days=801)) == "1 audit entries deleted"
    assert count(stores.access, tables.audit) == 1
