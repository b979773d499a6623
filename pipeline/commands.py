"""The verbs of this room: run the pipeline, print what is published, verify a release."""

import sys
from typing import Annotated

import typer

from data import settings as reading_settings
from data.errors import RapportError
from data.terminal import Json, installation, progress, say, show_json


def run(
    context: typer.Context,
    round_id: Annotated[str | None, typer.Option("--round", metavar="ROUND", help="Only this closed round.")] = None,
    as_json: Json = False,
) -> None:
    """Ingest, validate, score, measure, gate and seal: one release for every closed round without one."""
    from pipeline.jobs import run_due, run_one

    with installation(context) as opened, progress("Releases") as step:
        now = reading_settings.now()
        key = str(opened.settings.secret_key)
        if round_id is None:
            made = run_due(opened.stores, key=key, now=now, progress=step)
        else:
            made = [run_one(opened.stores, round_id, key=key, now=now)]
    if as_json:
        show_json({"releases": made})
    else:
        say("\n".join(f"Sealed {release_id}." for release_id in made) or "Every closed round has its release.")


def published(
    context: typer.Context,
    as_: Annotated[str, typer.Option("--as", help="json or csv")] = "json",
    programme: Annotated[str | None, typer.Option(help="Without one: every programme.")] = None,
) -> None:
    """Exactly what a dashboard viewer may see, from frozen releases."""
    from pipeline.published import as_csv, as_json, open_published

    if as_ not in ("json", "csv"):
        raise RapportError(f"--as expects json or csv, not {as_!r}.")
    with installation(context) as opened:
        numbers = open_published(opened.settings).numbers(programme)
    sys.stdout.write(as_json(numbers) if as_ == "json" else as_csv(numbers))


def verify(
    context: typer.Context,
    release: Annotated[str | None, typer.Argument(help="A release id; without one, every release.")] = None,
    as_json: Json = False,
) -> None:
    """Rebuild a release and compare: identical, inputs since erased, or differs."""
    from pipeline.jobs import verify_releases

    with installation(context) as opened:
        found = verify_releases(opened.stores, release, key=str(opened.settings.secret_key))
    if as_json:
        show_json(found)
    else:
        say("\n".join(f"{name}: {verdict}" for name, verdict in found.items()) or "There is no release yet.")
    if "differs" in found.values():
        raise typer.Exit(1)
