"""The verbs of this room: rounds, mail, and answers given in another tool."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from data import settings as reading_settings
from data.errors import RapportError
from data.settings import LOOPBACK, Settings, refuse_plain_http
from data.terminal import Json, Moment, installation, moment, progress, say, show_json, table, tell

rounds = typer.Typer(help="The calendar and state of rounds; open and close them.", invoke_without_command=True)

mail = typer.Typer(help="Mail to people: check that it arrives, look at it, send one to yourself.")

AHEAD = 60  # days of rounds to come that the list shows
GRACE_SECONDS = 10  # a stop waits so long for the requests under way


@rounds.callback()
def list_rounds(context: typer.Context, as_json: Json = False) -> None:
    """Without a verb: every round with its state."""
    if context.invoked_subcommand is not None:
        return
    from data.store.engine import reading
    from data.store.rounds import rounds_of
    from surveys.outlook import rounds_ahead

    with installation(context) as opened, reading(opened.stores.raw) as connection:
        now = reading_settings.now()
        rows: list[dict[str, Any]] = [
            {
                "round": entry.round_id,
                "programme": entry.programme_id,
                "number": entry.number,
                "pulse": entry.pulse,
                "opens_at": entry.opens_at.isoformat(),
                "closes_at": entry.closes_at.isoformat(),
                "state": "closed" if entry.closed_at else "open" if entry.takes_answers(now) else "waiting",
            }
            for entry in rounds_of(connection)
        ]
        rows += rounds_ahead(connection, now, AHEAD)
    columns = ["round", "programme", "number", "pulse", "opens_at", "closes_at", "state"]
    if as_json:
        show_json(rows)
    else:
        say(table(rows, columns) if rows else "There is no round yet; `rapport rounds open ROUND` opens the first.")


@rounds.command("open")
def open_one(
    context: typer.Context,
    round_id: Annotated[str, typer.Argument(metavar="ROUND", help="An id of your own, unique over programmes.")],
    programme: Annotated[str | None, typer.Option(help="Needed only where there are several.")] = None,
    pulse: Annotated[str, typer.Option(help="kickoff, pulse, milestone or closing.")] = "pulse",
    opens: Moment = None,
    closes: Moment = None,
    links: Annotated[Path | None, typer.Option(help="Write everyone's personal link to this CSV file.")] = None,
) -> None:
    """Freeze the questionnaire, invite both sides of every active pairing; 14 days unless said otherwise."""
    from surveys.jobs import DEFAULT_DAYS, make_links, open_round

    now = reading_settings.now()
    opens_at = moment(opens, "--opens") or now
    closes_at = moment(closes, "--closes") or opens_at + timedelta(days=DEFAULT_DAYS)
    with installation(context) as opened:
        new = open_round(
            opened.stores,
            round_id=round_id,
            programme_id=programme,
            pulse=pulse,
            opens_at=opens_at,
            closes_at=closes_at,
        )
        if links is not None:
            write_links(links, make_links(opened.stores, opened.settings, round_id, now))
    say(f"Round {new.round_id} ({new.pulse}) takes answers until {new.closes_at:%Y-%m-%d %H:%M} UTC.")
    if new.number == 1:
        say(f"From now on thresholds and groups are locked; `rapport programme groups {new.programme_id}` shows them.")


@rounds.command("close")
def close_one(context: typer.Context, round_id: Annotated[str, typer.Argument(metavar="ROUND")]) -> None:
    """End a round now; `rapport run` then computes its release."""
    from surveys.jobs import close_round

    with installation(context) as opened:
        close_round(opened.stores, round_id, reading_settings.now())
    say(f"Round {round_id} is closed. `rapport run` computes its numbers.")


@rounds.command("cadence")
def set_cadence(
    context: typer.Context,
    programme: Annotated[str, typer.Argument(metavar="PROGRAMME")],
    file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False, help="A TOML of what differs.")] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="Rounds are opened by hand again; nobody is written to.")
    ] = False,
) -> None:
    """How often a programme asks: set it from a file, or show it. What the file leaves out is as cadence.toml says."""
    from data.imports.toml_file import read_toml
    from data.store import people
    from data.store.engine import reading, writing
    from surveys.cadence import DECISION
    from surveys.outlook import decide

    with installation(context) as opened:
        if file is not None or stop:
            own = None if stop or file is None else read_toml(file)
            with writing(opened.stores.raw) as connection:
                decide(connection, programme, own, reading_settings.now())
        with reading(opened.stores.raw) as connection:
            decided = people.programme(connection, programme).decisions.get(DECISION)
    if decided is None:
        say(f"{programme} asks only when a round is opened by hand.")
    else:
        show_json(decided)


@rounds.command("due")
def list_due(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=366, help="How far ahead to look.")] = 14,
    as_json: Json = False,
) -> None:
    """Who is asked or reminded next, when by their own clock, and why."""
    from data.store.engine import reading
    from surveys.outlook import messages_ahead

    with installation(context) as opened, reading(opened.stores.raw) as connection:
        now = reading_settings.now()
        rows, n_after = messages_ahead(connection, now, now.date() + timedelta(days=days))
    if as_json:
        show_json({"messages": rows, "after_rounds": n_after})
        return
    columns = ["when", "zone", "what", "person", "round", "why"]
    say(table(rows, columns) if rows else "Nobody is due anything; `rapport rounds` shows the rounds to come.")
    if n_after:
        say(f"{n_after} messages after rounds that are over (thanks, or whether something is in the way).")


@rounds.command("reply")
def write_reply(
    context: typer.Context,
    round_id: Annotated[str, typer.Argument(metavar="ROUND")],
    said: Annotated[str, typer.Option(help="What people said, in a sentence: You said: …")],
    will: Annotated[str, typer.Option(help="What follows from it: We will: …")],
    by: Annotated[str, typer.Option(help="Who writes it.")] = "HR",
) -> None:
    """ "You said, we will": what the next invitation and the thanks tell everyone."""
    from data.store.engine import writing
    from surveys.outlook import reply

    with installation(context) as opened, writing(opened.stores.raw) as connection:
        reply(connection, round_id=round_id, said=said, will=will, who=by, now=reading_settings.now())
    say(f"The mails about {round_id} and the next invitation will carry it.")


@mail.command("check")
def check_mail(context: typer.Context, as_json: Json = False) -> None:
    """Red or green, before the first round: server, sender's domain, links, addresses, bounces."""
    from data.store.engine import reading
    from surveys.mail_check import check

    with installation(context) as opened, reading(opened.stores.raw) as connection:
        rows = [vars(each) for each in check(connection, opened.settings)]
    if as_json:
        show_json(rows)
    else:
        say(table(rows, ["what", "verdict", "said"]))
    if any(row["verdict"] == "red" for row in rows):
        raise typer.Exit(1)


@mail.command("preview")
def preview_mail(
    context: typer.Context,
    kind: Annotated[str, typer.Argument(help="invitation, reminder, thanks or missed.")] = "invitation",
    language: Annotated[str, typer.Option(help="en or de.")] = "en",
    out: Annotated[Path | None, typer.Option(help="Write the whole mail to this .eml file.")] = None,
) -> None:
    """What a mail looks like, with made-up names and links that open nothing."""
    from surveys.mail_check import example

    with installation(context) as opened:
        letter = example(kind, language, opened.settings, reading_settings.now(), "ben@demo.example")
    if out is not None:
        out.write_bytes(letter.mime)
    say(f"Subject: {letter.subject}\n\n{letter.text}")


@mail.command("test")
def send_test(
    context: typer.Context,
    address: str,
    kind: Annotated[str, typer.Option(help="invitation, reminder, thanks or missed.")] = "invitation",
    language: Annotated[str, typer.Option(help="en or de.")] = "en",
) -> None:
    """Send an example to an address of your own."""
    from surveys.mail_check import example
    from surveys.timetable import mail as mail_channel

    with installation(context) as opened:
        channel = mail_channel(opened.settings)
        outcome = channel.send(example(kind, language, opened.settings, reading_settings.now(), address))
        channel.close()
    if outcome.state != "accepted":
        raise RapportError(f"The mail did not leave: {outcome.said}.")
    if opened.settings.smtp_host is None:
        say(f"There is no smtp_host; written to {opened.settings.home / 'outbox'} instead.")
    else:
        say(f"Sent to {address}. Look whether it arrived, and not among spam.")


@mail.command("bounces")
def list_bounces(context: typer.Context, as_json: Json = False) -> None:
    """Addresses that a mail server refused for good; an import with another address mends them."""
    from data.store.engine import reading
    from data.store.outbox import bounced

    with installation(context) as opened, reading(opened.stores.raw) as connection:
        rows = [vars(each) for each in bounced(connection)]
    if as_json:
        show_json(rows)
    else:
        say(table(rows, ["person_id", "address", "reason", "since"]) if rows else "No address bounced.")


def import_answers(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    tool: Annotated[str, typer.Option("--from", help="limesurvey or csv.")],
    round_id: Annotated[str, typer.Option("--round", metavar="ROUND")],
    map_file: Annotated[Path | None, typer.Option("--map", exists=True, dir_okay=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    as_json: Json = False,
) -> None:
    """Answers given in another tool, with the checks of our own page."""
    from data.imports.sheet import limits_of
    from surveys.exchange.take import import_answers as take

    with installation(context) as opened, progress(f"Reading {file.name}"):
        report = take(
            opened.stores,
            path=file,
            tool=tool,
            round_id=round_id,
            map_path=map_file,
            dry_run=dry_run,
            now=reading_settings.now(),
            limits=limits_of(opened.settings),
        )
    tell(report, as_json=as_json)


def serve(settings: Settings) -> None:
    """The answering pages until stopped; plain HTTP is for loopback, or behind a declared proxy."""
    from functools import partial

    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from data.store.engine import keeps_how, open_stores
    from surveys.web import serving

    refuse_plain_http(settings)
    stores = open_stores(settings)
    say(f"Answers are kept by {keeps_how(stores.raw)}")
    stores.dispose()  # the worker is forked; it opens its own
    server = Granian(
        "surveys.web",
        address=settings.host,
        port=settings.answers_port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_level=LogLevels.warning,
        log_access=False,  # an access log would hold tokens
        workers_kill_timeout=GRACE_SECONDS,
    )
    # The worker is another process; it is handed the settings, so that --home reaches it.
    server.serve(target_loader=partial(serving, settings), wrap_loader=False)


def forms_dealt() -> dict[tuple[str, str], list[tuple[float, frozenset[str]]]]:
    """By pulse and side, each form's share of the people asked and its questions, as this version asks."""
    from surveys.forms import shares
    from surveys.questionnaire import SIDES, ours

    return {(pulse, side): shares(ours(), pulse, side) for pulse in ours().pulses for side in SIDES}


def refuse_rehearsal(settings: Settings) -> None:
    """A rehearsal that writes to everybody would be no rehearsal."""
    is_outside = settings.smtp_host is not None and settings.smtp_host not in LOOPBACK
    if (is_outside or settings.slack_url is not None) and not settings.mail_only_to:
        raise RapportError(
            "A rehearsal sends its mails; name in mail_only_to who may get them, or unset smtp_host and slack_url."
        )


def write_links(path: Path, personal_links: list[Any]) -> None:
    """One row a person: name, side, whom it is about, link. Whoever has the file can answer for them."""
    import csv
    import os

    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "side", "about", "link"])
        writer.writerows([_plain(p.name), p.side, _plain("; ".join(p.others)), p.url] for p in personal_links)


def _plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
