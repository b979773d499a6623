"""The same answering page as a plain Flask and SQLAlchemy application, written as a careful person would write it.

Same tables, same questions, same wording, durable commits; its own session cookie; the questionnaire is read once.
`python -m tests.bench.plain_flask HOME PORT` serves it with granian.
"""

import gzip
import hashlib
import sys
import uuid
from pathlib import Path
from typing import Any

from flask import Flask, redirect, render_template, request, session
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from sqlalchemy import create_engine, event, func, insert, select, update

from data import settings as reading_settings
from data.tables import answers, invitations, links, pairings, people, responses, rounds
from surveys import forms
from surveys.questionnaire import ours
from surveys.words import all_words, day, languages, pick

ROOM = Path(__file__).resolve().parents[2] / "surveys"
TYPES = {"yes_no": ("yes", "no")}


def create_app(home: Path) -> Flask:
    settings = reading_settings.load(home)
    app = Flask(__name__, template_folder=str(ROOM / "templates"), static_folder=str(ROOM / "static"))
    app.secret_key = settings.secret_key
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.database_url is None:
        engine = create_engine(f"sqlite:///{home / 'raw.sqlite'}")
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=FULL"))
    else:
        url = settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        engine = create_engine(url, connect_args={"options": "-csearch_path=raw -ctimezone=UTC"})
    questionnaire = ours()

    def asked(ask: Any) -> list[Any]:
        marked = [questionnaire.questions[name] for name in questionnaire.pulses[ask.pulse].operational]
        return [*forms.asked(questionnaire, ask.pulse, ask.side, ask.form), *marked]

    def choices(question: Any) -> list[tuple[str, str]]:
        words = all_words()["en"]
        if question.kind == "scale":
            labels = questionnaire.scales[question.scale].labels["en"]
            named = [(str(point), label) for point, label in enumerate(labels, 1)]
        else:
            named = [(value, words[value]) for value in TYPES[question.kind]]
        return [*named, ("prefer_not_to_say", words["decline"])] if question.may_decline else named

    def current_ask(connection: Any) -> Any:
        mentor, mentee = people.alias(), people.alias()
        query = (
            select(
                invitations,
                rounds.c.pulse,
                rounds.c.closes_at,
                rounds.c.closed_at,
                mentor.c.name.label("mentor"),
                mentee.c.name.label("mentee"),
            )
            .join(links, links.c.person_id == invitations.c.person_id)
            .join(rounds, rounds.c.round_id == invitations.c.round_id)
            .join(pairings, pairings.c.pairing_id == invitations.c.pairing_id)
            .join(mentor, mentor.c.person_id == pairings.c.mentor_id)
            .join(mentee, mentee.c.person_id == pairings.c.mentee_id)
            .where(
                links.c.token_sha256 == session.get("link"),
                links.c.expires_at > reading_settings.now(),
                links.c.revoked_at.is_(None),
                rounds.c.closed_at.is_(None),
            )
        )
        return connection.execute(query).first()

    @app.after_request
    def compress(response: Any) -> Any:
        """The page has a budget of bytes on the line, here as there."""
        if response.content_length and response.content_length > 500 and "gzip" in request.accept_encodings:
            response.set_data(gzip.compress(response.get_data(), compresslevel=6))
            response.headers["Content-Encoding"] = "gzip"
        return response

    @app.get("/a/<token>")
    def enter(token: str) -> Any:
        digest = hashlib.sha256(token.encode()).hexdigest()
        with engine.connect() as connection:
            known = connection.execute(select(links).where(links.c.token_sha256 == digest)).first()
        if known is None:
            return "This link does not work any more.", 410
        session["link"] = digest
        return redirect("/answer", 303)

    @app.get("/answer")
    def show() -> Any:
        with engine.connect() as connection:
            ask = current_ask(connection)
            if ask is None:
                return "This link does not work any more.", 410
            query = select(responses).where(responses.c.invitation_id == ask.invitation_id)
            has_answered = connection.execute(query).first() is not None
        other = ask.mentee if ask.side == "mentor" else ask.mentor
        filled = {"other": other, "organisation": "Example", "date": day(ask.closes_at, "en"), "n": "7", "seconds": "1"}
        controls = [
            {
                "name": f"q:{question.id}",
                "text": pick(question.text[ask.side], "en").replace("{other}", other),
                "choices": choices(question),
                "chosen": "",
                "is_marked": question.seen_by == "programme team",
                "is_problem": False,
            }
            for question in asked(ask)
        ]
        return render_template(
            "form.html",
            language="en",
            direction="ltr",
            languages=[(tag, all_words()[tag]["language_name"]) for tag in languages()],
            style="/static/answer.css",
            words={key: text.format(**filled) for key, text in all_words()["en"].items()},
            form={"ask": {"side": ask.side, "has_answered": has_answered, "pairing_id": ask.pairing_id}},
            others=[],
            controls=controls[:-2],
            marked=controls[-2:],
            goals=[],
            message=None,
            note=None,
            comment="",
            is_released=False,
            max_comment=2000,
            submission=uuid.uuid4().hex,
        )

    @app.post("/answer")
    def take() -> Any:
        with engine.begin() as connection:
            ask = current_ask(connection)
            if ask is None:
                return "This link does not work any more.", 410
            said = {}
            for question in asked(ask):
                value = request.form.get(f"q:{question.id}", "")
                if value in {value for value, _ in choices(question)}:
                    said[question.id] = value
            page_id = request.form["submission"]
            query = select(responses.c.response_id).where(responses.c.submission_id == page_id)
            response_id = connection.execute(query).scalar()
            if response_id is None:
                of_invitation = responses.c.invitation_id == ask.invitation_id
                last = connection.execute(select(func.max(responses.c.version)).where(of_invitation)).scalar() or 0
                connection.execute(update(responses).where(of_invitation).values(is_counted=False))
                response_id = uuid.uuid4().hex
                connection.execute(
                    insert(responses).values(
                        response_id=response_id,
                        invitation_id=ask.invitation_id,
                        version=last + 1,
                        submission_id=page_id,
                        content_sha256=hashlib.sha256(repr(said).encode()).hexdigest(),
                        received_at=reading_settings.now(),
                        source="web",
                        language="en",
                        is_complete=True,
                        is_counted=True,
                        comment=request.form.get("comment") or None,
                        is_comment_for_release=False,
                    )
                )
                rows = [{"response_id": response_id, "question_id": key, "value": said[key]} for key in said]
                connection.execute(insert(answers), rows)
        session["receipt"] = response_id[:12]
        return redirect("/thanks", 303)

    @app.get("/thanks")
    def thank() -> Any:
        with engine.connect() as connection:
            ask = current_ask(connection)
        if ask is None or "receipt" not in session:
            return "This link does not work any more.", 410
        other = ask.mentee if ask.side == "mentor" else ask.mentor
        filled = {"other": other, "organisation": "Example", "date": day(ask.closes_at, "en"), "n": "7", "seconds": "1"}
        return render_template(
            "thanks.html",
            language="en",
            direction="ltr",
            style="/static/answer.css",
            words={key: text.format(**filled) for key, text in all_words()["en"].items()},
            receipt=session["receipt"],
            practice=ours().practices[0].text["en"].replace("{other}", other),
            left=[],
        )

    @app.get("/healthz")
    def healthz() -> str:
        return "ok\n"

    return app


def main() -> None:
    home, port = Path(sys.argv[1]), int(sys.argv[2])
    server = Granian(
        "plain_flask",
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=8,
        log_level=LogLevels.warning,
        log_access=False,
    )
    server.serve(target_loader=lambda: create_app(home), wrap_loader=False)


if __name__ == "__main__":
    main()
