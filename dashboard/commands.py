"""The verbs of this room: write the report, serve the dashboard."""

from pathlib import Path
from typing import Annotated, Any

import typer

from data.settings import Settings, refuse_plain_http
from data.terminal import Json, installation, say, show_json


def report(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="The folder to write into; made where it is missing.")],
    as_: Annotated[str, typer.Option("--as", help="html, pdf, pptx, xlsx; several with commas.")] = "pdf,html",
    programme: Annotated[str | None, typer.Option(help="Needed where there are several.")] = None,
    lang: Annotated[str, typer.Option(help="en or de.")] = "en",
    as_json: Json = False,
) -> None:
    """The leaders' business case from the newest release: the same numbers in every format."""
    from dashboard.reports.write import write
    from pipeline.published import open_published

    formats = list(dict.fromkeys(each.strip() for each in as_.lower().split(",") if each.strip()))
    with installation(context) as opened:
        written = write(
            open_published(opened.settings),
            organisation=opened.settings.organisation,
            programme_id=programme,
            language=lang,
            formats=formats,
            out=out,
        )
    if as_json:
        show_json({"files": [str(path) for path in written]})
    else:
        say("\n".join(f"Wrote {path}" for path in written))


def compare_report(settings: Settings, content: bytes) -> dict[str, Any]:
    """Whether a report's file is what this installation writes of the release that it names."""
    from dashboard.reports.compare import compare
    from pipeline.published import open_published

    return compare(open_published(settings), content, organisation=settings.organisation)


def serve(settings: Settings) -> None:
    """The dashboard until stopped; plain HTTP is for loopback, or behind a declared proxy."""
    from functools import partial

    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from dashboard.app import serving

    refuse_plain_http(settings)
    server = Granian(
        "dashboard.app",
        address=settings.host,
        port=settings.dashboard_port,
        interface=Interfaces.WSGI,
        blocking_threads=4,
        websockets=False,
        log_level=LogLevels.warning,
        log_access=False,
    )
    # The worker is another process; it is handed the settings, so that --home reaches it.
    server.serve(target_loader=partial(serving, settings), wrap_loader=False)
