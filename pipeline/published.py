"""THE DOOR: everything that may be shown, from frozen releases only, with what each number means.

The dashboard, reports and exports enter here and need nothing else of the pipeline.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from data.contracts import Published, conform
from data.settings import Settings
from data.store.comments import batches_of
from data.store.engine import Connection, Engine, is_reachable, open_stores, reading
from data.store.releases import StoredRelease, releases_of
from pipeline.comments.batch import Comments, told
from pipeline.disclosure.crowd import PROGRAMME, WITHHELD
from pipeline.evidence.finding import CONSTRUCT, Verdict
from pipeline.evidence.kinds import EVIDENCE
from pipeline.flow import FLOWS
from pipeline.metric import Example, Metric, catalogue
from pipeline.seal import is_intact, manifest_of, seal_is_valid

__all__ = [
    "CONSTRUCT",
    "Comments",
    "EVIDENCE",
    "FLOWS",
    "PROGRAMME",
    "WITHHELD",
    "Example",
    "Metric",
    "Programme",
    "Release",
    "Verdict",
    "catalogue",
    "PublishedStore",
    "CALIBRATION",
    "as_csv",
    "as_json",
    "calibration",
    "comments",
    "latest",
    "open_published",
    "programmes",
    "published",
    "releases",
    "trend",
]

CALIBRATION = Path(__file__).resolve().parent / "calibration.json"  # `make calibrate` writes it
Source = Connection | Engine
TREND = ["round", "number", "pulse", "closed_on", "release", "value", "low", "high", "n", "unit", "claim", "shown"]


@dataclass(frozen=True, kw_only=True)
class Programme:
    """A programme that has a release."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Release:
    """What a release says of itself. `seal_valid` is None where no key was given to check it with.

    `case` is what it says about the business case: verdict, checks and decision as keys, inputs, plan; None without.
    """

    id: str
    programme: str
    round: str
    number: int
    pulse: str
    opened_on: date
    closed_on: date
    made_at: datetime
    questionnaire: str
    code_version: str
    content_sha256: str
    single_item: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    thresholds: dict[str, object]
    quarantined: dict[str, int]
    case: Mapping[str, Any] | None
    seal_valid: bool | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None


def published(source: Source, programme_id: str | None = None, *, key: str | None = None) -> pd.DataFrame:
    """Contract Published: the rows of every release that is not withdrawn and still is what was frozen.

    With the key, releases whose seal does not hold are left out as well; `releases` names them.
    """
    stored = [each for each in _stored(source, programme_id) if each.withdrawn_at is None]
    return rows_of(each for each in stored if _holds(each, key))


def latest(source: Source, programme_id: str, *, key: str | None = None) -> pd.DataFrame:
    """Contract Published: the newest round of a programme; empty where it has no release yet."""
    usable = [each for each in releases(source, programme_id, key=key) if _is_usable(each)]
    rows = published(source, programme_id, key=key)
    return rows[rows["release"] == (usable[-1].id if usable else "")].reset_index(drop=True)


def trend(
    source: Source,
    programme_id: str,
    metric: str,
    *,
    side: str = "both",
    view: str = PROGRAMME,
    group: str = PROGRAMME,
    key: str | None = None,
) -> pd.DataFrame:
    """One number over a programme's rounds, oldest first; rounds that did not ask it have no row."""
    rows = published(source, programme_id, key=key)
    wanted = {"metric": metric, "side": side, "view": view, "group": group}
    for name, value in wanted.items():
        rows = rows[rows[name] == value]
    about = pd.DataFrame(
        [(each.id, each.number, each.pulse, each.closed_on) for each in releases(source, programme_id)],
        columns=["release", "number", "pulse", "closed_on"],
    )
    return rows.merge(about, on="release").sort_values("number", ignore_index=True)[TREND]


def programmes(source: Source) -> list[Programme]:
    """Every programme that has a release, under the name its newest one carries."""
    named = {each.programme: each.id for each in releases(source)}
    about = {each.release_id: manifest_of(each)["programme"] for each in _stored(source, None)}
    return [Programme(id=id_, name=about[newest]["name"]) for id_, newest in sorted(named.items())]


def releases(source: Source, programme_id: str | None = None, *, key: str | None = None) -> list[Release]:
    """Every release, withdrawn ones too, by programme and round number."""
    told = [_told(each, key) for each in _stored(source, programme_id)]
    return sorted(told, key=lambda each: (each.programme, each.number))


def comments(source: Source, programme_id: str | None = None, *, key: str | None = None) -> list[Comments]:
    """Batches of released comments, by programme and number; one that is withdrawn or broken holds no comment."""
    if isinstance(source, Connection):
        return [told(each, key) for each in batches_of(source, programme_id)]
    with reading(source) as connection:
        return comments(connection, programme_id, key=key)


def _stored(source: Source, programme_id: str | None) -> list[StoredRelease]:
    if isinstance(source, Connection):
        return releases_of(source, programme_id)
    with reading(source) as connection:
        return releases_of(connection, programme_id)


def _holds(stored: StoredRelease, key: str | None) -> bool:
    return is_intact(stored) if key is None else seal_is_valid(stored, key)


def _is_usable(each: Release) -> bool:
    return not each.is_withdrawn and each.seal_valid is not False


def rows_of(stored: Iterable[StoredRelease]) -> pd.DataFrame:
    """Contract Published: the rows that these releases froze, whatever became of them since."""
    rows = [row for each in stored for row in json.loads(each.content)["rows"]]
    return conform(Published, pd.DataFrame(rows, columns=list(Published.to_schema().columns)))


def _told(stored: StoredRelease, key: str | None) -> Release:
    about = manifest_of(stored)
    return Release(
        id=stored.release_id,
        programme=stored.programme_id,
        round=stored.round_id,
        number=about["round"]["number"],
        pulse=about["round"]["pulse"],
        opened_on=date.fromisoformat(about["round"]["opened_on"]),
        closed_on=date.fromisoformat(about["round"]["closed_on"]),
        made_at=stored.made_at,
        questionnaire=about["questionnaire"],
        code_version=about["code_version"],
        content_sha256=stored.content_sha256,
        single_item=tuple(about["single_item"]),
        verdicts=tuple(Verdict(**each) for each in about.get("verdicts", ())),
        thresholds=about["thresholds"],
        quarantined=about["quarantined"],
        case=about.get("case"),
        seal_valid=(None if is_intact(stored) else False) if key is None else seal_is_valid(stored, key),
        withdrawn_at=stored.withdrawn_at,
        withdrawn_reason=stored.withdrawn_reason,
    )


class PublishedStore:
    """The published store of one installation, as screen, reports and exports read it; seals are checked."""

    def __init__(self, engine: Engine, key: str | None) -> None:
        self._engine = engine
        self._key = key

    def numbers(self, programme_id: str | None = None) -> pd.DataFrame:
        """Contract Published: every number that may be shown."""
        return published(self._engine, programme_id, key=self._key)

    def releases(self, programme_id: str | None = None) -> list[Release]:
        """Every release with its seal's verdict, oldest round first, withdrawn ones too."""
        return releases(self._engine, programme_id, key=self._key)

    def comments(self, programme_id: str | None = None) -> list[Comments]:
        """Batches of released comments with their seal's verdict, oldest first."""
        return comments(self._engine, programme_id, key=self._key)

    def programmes(self) -> list[Programme]:
        """Every programme that has a release."""
        return programmes(self._engine)

    def is_reachable(self) -> bool:
        return is_reachable(self._engine)


def open_published(settings: Settings) -> PublishedStore:
    """What an installation has published."""
    return PublishedStore(open_stores(settings).published, settings.secret_key)


def calibration() -> dict[str, Any]:
    """How often each kind of interval held the truth over made-up programmes: `programmes` a size, `cells`."""
    found: dict[str, Any] = json.loads(CALIBRATION.read_text(encoding="utf-8"))
    return found


def as_json(rows: pd.DataFrame) -> str:
    """Contract Published as a JSON list; what is not shown is null."""
    plain = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return json.dumps(plain, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def as_csv(rows: pd.DataFrame) -> str:
    """Contract Published as CSV; no cell can be taken for a formula."""
    texts = rows.select_dtypes(include=["object", "string"]).columns
    safe = rows.assign(**{name: rows[name].map(_no_formula) for name in texts})
    return str(safe.to_csv(index=False, lineterminator="\n"))


def _no_formula(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
