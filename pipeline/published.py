"""THE DOOR: everything that may be shown, from frozen releases only, with what each number means.

The dashboard, reports and exports enter here and need nothing else of the pipeline.
"""

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd

from data.contracts import Published, conform
from data.settings import Settings
from data.store.comments import batches_of
from data.store.engine import Connection, Engine, is_reachable, open_stores, reading
from data.store.releases import ReleaseMark, StoredRelease, marks_of, read_release, releases_of, releases_there
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
    "Released",
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
MOST_KEPT = 16  # programmes; one of six rounds takes about 3 MB
TREND = ["round", "number", "pulse", "closed_on", "release", "value", "low", "high", "n", "unit", "claim", "shown"]


@dataclass(frozen=True, kw_only=True)
class Programme:
    """A programme, and when the newest round that it released closed; None without a release."""

    id: str
    name: str
    newest_on: date | None = None


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Released:
    """Everything a programme has released, as it lay in the store; the same object for as long as nothing changed.

    `rows` (contract Published) are those that may be shown; `releases` also name the withdrawn and the broken.
    """

    programme: str
    marks: tuple[ReleaseMark, ...]
    releases: tuple[Release, ...]
    rows: pd.DataFrame


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
    newest = {each.programme: each for each in releases(source)}
    about = {each.release_id: manifest_of(each)["programme"] for each in _stored(source, None)}
    return [
        Programme(id=id_, name=about[each.id]["name"], newest_on=each.closed_on) for id_, each in sorted(newest.items())
    ]


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
    """The published store of one installation, as screen, reports and exports read it; seals are checked.

    What was read is kept, parsed and checked, for as long as every release's row and the digest of its bytes are
    what they were: they are asked for each time, so that a new, withdrawn or changed release counts at once.
    """

    def __init__(self, engine: Engine, key: str | None) -> None:
        self._engine = engine
        self._key = key
        self._kept: OrderedDict[str, Released] = OrderedDict()
        self._names: dict[tuple[str, str], tuple[int, str, str]] = {}
        self._lock = Lock()

    def released(self, programme_id: str) -> Released:
        """All of one programme: its releases and the rows that may be shown."""
        with reading(self._engine) as connection:
            marks = tuple(marks_of(connection, programme_id))
            kept = self._kept.get(programme_id)
            if kept is None or kept.marks != marks:
                kept = _opened(programme_id, marks, releases_of(connection, programme_id), self._key)
        with self._lock:
            self._kept[programme_id] = kept
            self._kept.move_to_end(programme_id)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return kept

    def numbers(self, programme_id: str | None = None) -> pd.DataFrame:
        """Contract Published: every number that may be shown."""
        if programme_id is None:
            return published(self._engine, key=self._key)
        return self.released(programme_id).rows.copy(deep=False)

    def releases(self, programme_id: str | None = None) -> list[Release]:
        """Every release with its seal's verdict, oldest round first, withdrawn ones too."""
        if programme_id is None:
            return releases(self._engine, key=self._key)
        return list(self.released(programme_id).releases)

    def comments(self, programme_id: str | None = None) -> list[Comments]:
        """Batches of released comments with their seal's verdict, oldest first."""
        return comments(self._engine, programme_id, key=self._key)

    def programmes(self) -> list[Programme]:
        """Every programme that has a release, under the name its newest one carries."""
        with reading(self._engine) as connection:
            there = releases_there(connection)
            known = {(id_, stated): self._named(connection, id_, stated) for _, id_, stated in there}
        self._names = known
        newest: dict[str, tuple[int, str, str]] = {}
        for programme_id, id_, stated in there:
            newest[programme_id] = max(newest.get(programme_id, (0, "", "")), known[id_, stated])
        return [
            Programme(id=id_, name=name, newest_on=date.fromisoformat(closed))
            for id_, (_, name, closed) in sorted(newest.items())
        ]

    def _named(self, connection: Connection, release_id: str, stated: str) -> tuple[int, str, str]:
        """Number, programme's name and closing day as a release tells them; its content is read once."""
        if (release_id, stated) in self._names:
            return self._names[release_id, stated]
        about = manifest_of(read_release(connection, release_id))
        return about["round"]["number"], about["programme"]["name"], about["round"]["closed_on"]

    def is_reachable(self) -> bool:
        return is_reachable(self._engine)


def _opened(
    programme_id: str, marks: tuple[ReleaseMark, ...], stored: list[StoredRelease], key: str | None
) -> Released:
    told = sorted((_told(each, key) for each in stored), key=lambda each: each.number)
    rows = rows_of(each for each in stored if each.withdrawn_at is None and _holds(each, key))
    return Released(programme=programme_id, marks=marks, releases=tuple(told), rows=rows)


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
