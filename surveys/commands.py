"""The verbs of this room: rounds, and answers given in another tool."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from data import settings as reading_settings
from data.errors import RapportError
from data.settings import Settings, refuse_plain_http
from data.terminal import Json, installation, progress, say, show_json, table, tell

rounds = typer.Typer(help="The calendar and state of rounds; open and close them.", invoke_without_command=True)

Moment = Annotated[str | None, typer.Option(help="ISO date or time, e.g. 2026-03-02; UTC where no zone is given.")]


@rounds.callback()
def list_rounds(context: typer.Context, as_json: Json = False) -> None:
    """Without a verb: every round with its state."""
    if context.invoked_subcommand is not None:
        return
    from data.store.engine import reading
    from data.store.rounds import rounds_of

    with installation(context) as opened, reading(opened.stores.raw) as connection:
        now = reading_settings.now()
        rows = [
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
    opens_at = _moment(opens, "--opens") or now
    closes_at = _moment(closes, "--closes") or opens_at + timedelta(days=DEFAULT_DAYS)
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


@rounds.command("close")
def close_one(context: typer.Context, round_id: Annotated[str, typer.Argument(metavar="ROUND")]) -> None:
    """End a round now; `rapport run` then computes its release."""
    from surveys.jobs import close_round

    with installation(context) as opened:
        close_round(opened.stores, round_id, reading_settings.now())
    say(f"Round {round_id} is closed. `rapport run` computes its numbers.")


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

    from surveys.web import serving

    refuse_plain_http(settings)
    server = Granian(
        "surveys.web",
        address=settings.host,
        port=settings.answers_port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_level=LogLevels.warning,
        log_access=False,  # an access log would hold tokens
    )
    # The worker is another process; it is handed the settings, so that --home reaches it.
    server.serve(target_loader=partial(serving, settings), wrap_loader=False)


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RapportError(f"{option} expects an ISO date or time such as 2026-03-02T09:00, not {text!r}.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=reading_settings.now().tzinfo)


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
