"""Lists the sealed sets of numbers, with the way back to each round."""

from dataclasses import replace

import pandas as pd
from dash import html

from dashboard import parts
from dashboard.parts import Part
from dashboard.visit import Visit
from pipeline.published import Release

SEALS = {True: "seal_valid", False: "seal_broken", None: "seal_unchecked"}


def title(visit: Visit) -> str:
    return visit.words("releases")


def shown(visit: Visit) -> pd.DataFrame:
    return visit.released.select()


def show(visit: Visit) -> list[Part]:
    words = visit.words
    columns = [words(f"rel_{name}") for name in ("round", "closed", "id", "seal", "state")]
    rows = [_row(visit, each) for each in sorted(visit.releases, key=lambda each: -each.number)]
    return [
        html.H1(words("releases")),
        html.P(words("releases_lead"), className="verdict"),
        parts.plain_table(words("releases"), columns, rows, words),
        html.P(html.A(words("download_all"), href=visit.address.to("/releases.csv"), className="download")),
    ]


def _row(visit: Visit, release: Release) -> list[Part]:
    words = visit.words
    name = words("round", number=release.number)
    is_shown = not release.is_withdrawn and release.seal_valid is not False
    back = replace(visit.address, path="/", by=None, round=release.round).text
    link = html.A(name, href=back, title=words("look_back")) if is_shown else name
    withdrawn = words("state_withdrawn", reason=release.withdrawn_reason or "–")
    state = withdrawn if release.is_withdrawn else words("state_shown") if is_shown else "–"
    return [link, words.day(release.closed_on), html.Code(release.id), words(SEALS[release.seal_valid]), state]
