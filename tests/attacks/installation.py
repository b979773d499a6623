"""Makes one small real installation with a canary in every confidential field, for those who look for leaks.

Ada mentors Ben, and eleven more pairings answer beside them; Eve belongs to another programme. One round is closed,
the next one opened by itself and half answered. Whoever asks for the rest lets the timetable run on.
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from typer.testing import CliRunner

import rapport
from data import settings as reading_settings
from data import tables, timetable
from data.demo.answering import Filled
from data.errors import RapportError
from data.settings import Settings
from data.store import people, rounds
from data.store.accounts import open_accounts
from data.store.employment import pseudonym, save_employment, save_engagement
from data.store.engine import Connection, Stores, migrate, open_stores, writing
from data.store.people import Pairing, Person, Programme
from pipeline import jobs as pipeline_jobs
from surveys import cadence, links
from surveys import jobs as surveys_jobs
from surveys.demo import answer_with
from surveys.jobs import close_round
from tests.support import cast

N_PAIRS = 12
OPENS = datetime(2026, 3, 2, 8, tzinfo=UTC)
SECOND = "mentoring-2026-04-06"
STARTS = datetime(2026, 4, 5, 12, tzinfo=UTC)
MIDDLE = datetime(2026, 4, 8, 12, tzinfo=UTC)  # of the second round: everybody is invited, half have answered
OVER = datetime(2026, 4, 20, 12, tzinfo=UTC)  # it is closed, thanked for and computed
PASSWORD = "a long password for tests"
ACCOUNTS = {
    "cleo@cast.example": ("hr", "mentoring"),
    "dan@cast.example": ("leader", None),
    "eve-hr@cast.example": ("hr", "elsewhere"),
    "rep@cast.example": ("employee-rep", None),
    "pia@cast.example": ("protection", None),
    "root@cast.example": ("admin", None),
    "rita@cast.example": ("safe-contact", None),
}
CANARIES = {
    "answer": "qzx-said-as-said",
    "number": "3141592653",
    "comment": "qzx comment nobody ticked",
    "ticked": "qzx comment ticked for release",
    "open comment": "qzx comment of the open round",
    "goal": "qzx goal of the two",
    "level": "qzx level of the goal",
    "name": "Benqzx Lindqzx",
    "address": "benqzx@cast.example",
    "draft": "qzx draft never sent",
    "refused name": "Qzx Refused",
    "end reason": "qzx end reason",
    "employment": "Qzx grade of the roster",
    "hired": "1931-01-17",
    "engagement": "41.4243",
}


@dataclass
class Installation:
    """One home with its opened stores."""

    home: Path
    settings: Settings
    stores: Stores

    def rapport(self, *words: str) -> str:
        """A verb in this process: everything it printed, its exit code and the sentence of its error."""
        result = CliRunner().invoke(rapport.app, ["--home", str(self.home), *words])
        error = f"{result.exception}" if isinstance(result.exception, RapportError) else repr(result.exception)
        return f"{result.output}\n{result.stderr}\n[{result.exit_code}] {error if result.exception else ''}"

    def walk(self, start: datetime, end: datetime) -> str:
        """Let the timetable ask, close, thank and compute between two times; returns what it said."""
        said: list[str] = []
        timetable.rehearse(
            self.stores.raw,
            lambda clock: [*surveys_jobs.jobs(self.stores, self.settings, clock), *self._computing()],
            start=start,
            end=end,
            step=timedelta(hours=12),
            tell=lambda now, done: said.append(f"{now} {done}"),
        )
        return "\n".join(said)

    def _computing(self) -> list[timetable.Job]:
        return pipeline_jobs.jobs(self.stores, self.settings)

    def copy(self, home: Path) -> "Installation":
        """The same installation in another place."""
        self.stores.dispose()
        shutil.copytree(self.home, home)
        return opened(home)


def opened(home: Path) -> Installation:
    settings = reading_settings.load(home)
    return Installation(home, settings, open_stores(settings))


def made(home: Path, n_pairs: int = N_PAIRS) -> Installation:
    """Everything up to the middle of the second round."""
    reading_settings.make_home(home)
    new = opened(home)
    migrate(new.stores)
    with writing(new.stores.raw) as connection:
        _people(connection, n_pairs)
        _known_to_hr(connection, new)
        cast.open_round(connection, "R1", pulse="pulse", opens_at=OPENS)
    for email, (role, programme) in ACCOUNTS.items():
        open_accounts(new.settings).add(email=email, role=role, programme_id=programme, password=PASSWORD, now=OPENS)
    answer_with(new.stores, "R1", lambda form: _said(form, 1))
    with writing(new.stores.raw) as connection:
        _as_said_elsewhere(connection)
    close_round(new.stores, "R1", OPENS + timedelta(days=14))
    (home / "refused.csv").write_text(f"person_id,name,email\n,{CANARIES['refused name']},nobody\n")
    new.rapport("import", "people", str(home / "refused.csv"))
    (home / "refused.csv").unlink()
    new.walk(STARTS, MIDDLE)
    answer_with(new.stores, SECOND, lambda form: _said(form, 2))
    with writing(new.stores.raw) as connection:
        _draft(connection)
    return new


def tokens(of: Installation, round_id: str = SECOND) -> dict[str, str]:
    """A fresh link of each person asked in a round."""
    with writing(of.stores.raw) as connection:
        asked = rounds.read_round(connection, round_id)
        invited = sorted({each.person_id for each in rounds.invitations_of(connection, round_id)})
        return {
            each: links.make(connection, purpose="answer", person_id=each, of=asked, now=MIDDLE) for each in invited
        }


def _people(connection: Connection, n_pairs: int) -> None:
    decided = {
        "attributes": ["department"],
        cadence.DECISION: cadence.kept(
            cadence.read({"starts_on": date(2026, 4, 6), "kickoff": False, "milestone_every": 0})
        ),
    }
    for id_, decisions in (("mentoring", decided), ("elsewhere", {"attributes": []})):
        people.save_programme(
            connection, Programme(programme_id=id_, name=id_.title(), created_at=OPENS, decisions=decisions)
        )
    ben = Person(person_id="ben", name=CANARIES["name"], email=CANARIES["address"], department="Sales")
    for each in (ben, _person("ada", "Sales"), _person("eve", "Sales"), _person("finn", "Sales")):
        people.save_person(connection, each)
    _pair(connection, "P0", "ada", "ben")
    _pair(connection, "P99", "finn", "eve", "elsewhere")
    for number in range(1, n_pairs):
        department = "Sales" if number % 2 else "Research"
        for side in ("guide", "learner"):
            people.save_person(connection, _person(f"{side}{number}", department))
        _pair(connection, f"P{number}", f"guide{number}", f"learner{number}")
    goal = people.add_goal(
        connection,
        pairing_id="P0",
        title=CANARIES["goal"],
        levels=dict.fromkeys(range(-2, 3), CANARIES["level"]),
        set_on=OPENS.date(),
    )
    people.agree_goal(connection, goal.goal_id)
    gone = update(tables.pairings).where(tables.pairings.c.pairing_id == "P99")
    connection.execute(gone.values(end_reason=CANARIES["end reason"]))


def _person(person_id: str, department: str) -> Person:
    return cast.person(person_id, department=department)


def _pair(connection: Connection, pairing_id: str, mentor: str, mentee: str, programme: str = "mentoring") -> None:
    new = Pairing(
        pairing_id=pairing_id,
        programme_id=programme,
        mentor_id=mentor,
        mentee_id=mentee,
        started_on=date(2026, 2, 1),
    )
    people.save_pairing(connection, new)


def _known_to_hr(connection: Connection, of: Installation) -> None:
    key = pseudonym(str(of.settings.secret_key).encode(), "ben")
    spell = {"employee_key": key, "hired_on": date.fromisoformat(CANARIES["hired"]), "leave_type": None}
    spell |= {"valid_from": date(2026, 1, 1), "left_on": None, "grade": CANARIES["employment"]}
    save_employment(connection, [{**spell, "location": None, "department": "Sales"}])
    score = {"employee_key": key, "measured_on": date(2026, 1, 1), "score": float(CANARIES["engagement"])}
    save_engagement(connection, [{**score, "scale_max": 100.0}])


def _said(form: Any, number: int) -> Filled | None:
    """Everybody's own answers; in the second round half are silent. Ben and Ada always answer."""
    who = form.ask.person_id
    if number == 2 and who[-1:] in "13579":
        return None
    own = sum(who.encode())
    answers = {each.id: str(2 + (own + sum(each.id.encode()) + number) % 4) for each in form.questions}
    answers |= {each.id: "yes" for each in form.operational if each.id == "met_since"}
    levels = {goal.goal_id: own % 3 - 1 for goal in form.goals}
    comment, is_ticked = f"About round {number} says number {own}.", True
    if who == "ben":
        comment = CANARIES["ticked"] if number == 1 else CANARIES["open comment"]
    if who == "ada":
        comment, is_ticked = CANARIES["comment"], False
    return Filled(answers=answers, goal_levels=levels, comment=comment, is_comment_for_release=is_ticked, day=1.0)


def _as_said_elsewhere(connection: Connection) -> None:
    """Two answers of Ben as another tool might have written them: no scale has such a point."""
    asked = select(tables.responses.c.response_id).where(tables.responses.c.invitation_id == "R1:P0:mentee")
    response_id = connection.execute(asked).scalar_one()
    kept = select(tables.answers.c.question_id).where(tables.answers.c.response_id == response_id)
    first, second, *_ = sorted(connection.execute(kept).scalars())
    for question_id, said in ((first, CANARIES["answer"]), (second, CANARIES["number"])):
        this = (tables.answers.c.response_id == response_id, tables.answers.c.question_id == question_id)
        connection.execute(update(tables.answers).where(*this).values(value=said))


def _draft(connection: Connection) -> None:
    """What Ben began to write and did not send."""
    saved = {"draft_id": "qzx-draft-id", "invitation_id": f"{SECOND}:P0:mentee", "saved_at": MIDDLE}
    connection.execute(insert(tables.drafts).values(**saved, fields={"comment": CANARIES["draft"]}))
