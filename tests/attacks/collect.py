"""Looks through everything that every role can fetch for numbers that no release shows."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from data.store.engine import reading
from data.store.releases import releases_of
from pipeline.attack.oracle import seen_round
from pipeline.attack.reader import KEY, contributions, inside_group, weights
from pipeline.ingest import ingest
from pipeline.metric import catalogue
from pipeline.published import open_published
from tests.attacks import artefacts
from tests.attacks.installation import MIDDLE, Installation, made

READERS = ("cleo@cast.example", "dan@cast.example", "rep@cast.example")
Artefacts = Mapping[str, str]
Found = tuple[str, str]  # where, what


@dataclass(frozen=True)
class Gathered:
    """`texts` by role and place, `rows` (contract Published), and the means of withheld rows that no one may see."""

    texts: Artefacts
    rows: pd.DataFrame
    hidden_means: Mapping[tuple[str, ...], float]


def gather(home: Path, *, n_pairs: int, now: datetime = MIDDLE) -> Gathered:
    """One real installation whose closed round is computed, and all that readers of releases get of it."""
    of = made(home, n_pairs)
    of.rapport("run")
    texts = {
        **artefacts.dashboard_pages(of, now, READERS, thorough=False),
        **artefacts.reports(of, ("html", "pdf")),
        **artefacts.mails(of.home),
        **artefacts.files(of.home),
        **artefacts.manifests(of),
        **{f"verbs/published {kind}": of.rapport("published", "--as", kind) for kind in ("json", "csv")},
    }
    rows = open_published(of.settings).numbers("mentoring")
    return Gathered(texts=texts, rows=rows, hidden_means=_hidden_means(of, rows))


def _hidden_means(of: Installation, rows: pd.DataFrame) -> dict[tuple[str, ...], float]:
    """By round and row, the mean that is withheld, wherever somebody stands behind it."""
    with reading(of.stores.published) as connection:
        rounds = [each.round_id for each in releases_of(connection, "mentoring")]
    found = {}
    for round_id in rounds:
        inputs = ingest(of.stores.raw, programme_id="mentoring", round_id=round_id)
        seen = seen_round(inputs, rows.head(0))
        withheld = rows[(rows["round"] == round_id) & ~rows["shown"] & rows["metric"].isin(list(catalogue()))]
        people = {id_: contributions(seen.facts, seen.metrics[id_]) for id_ in withheld["metric"].unique()}
        for row in withheld[withheld["view"] != "construct"].to_dict("records"):
            of_metric = people[row["metric"]]
            inside = of_metric[inside_group(of_metric, row["view"], row["group"]) & (of_metric["side"] == row["side"])]
            if len(inside):
                key = (round_id, *(row[name] for name in KEY))
                found[key] = float((inside["value"] * weights(inside)).sum())
    return found


# --- what may not be there ---------------------------------------------------------------------------


def hidden_numbers(of: Gathered) -> list[Found]:
    """Withheld means, to two decimals or more: no number that is shown has so many, so each is one of a kind."""
    shown = {f"{value:.2f}" for name in ("value", "low", "high") for value in of.rows[name].dropna()}
    wanted = {f"{mean:.2f}" for mean in of.hidden_means.values() if abs(mean * 10 - round(mean * 10)) > 0.05}
    digits = re.compile("|".join(rf"(?<![\d.]){re.escape(text)}" for text in sorted(wanted - shown)) or "(?!)")
    return [(where, match) for where, text in of.texts.items() for match in digits.findall(text)]


def numbers_of_withheld_rows(of: Gathered) -> list[Found]:
    """Cells of a withheld row in any table of numbers (CSV and JSON): value, low, high and n are empty."""
    found = []
    for where, text in of.texts.items():
        for row in _rows_in(text):
            is_shown = str(row.get("shown", "true")).lower() == "true"
            cells = [row.get(name) for name in ("value", "low", "high", "n")]
            if not is_shown and any(cell not in (None, "") for cell in cells):
                found.append((where, json.dumps(row)))
    return found


def few_people(of: Gathered) -> list[Found]:
    """Numbers of people from one to four: in tables of numbers, and wherever a text says n."""
    found = []
    for where, text in of.texts.items():
        for row in _rows_in(text):
            if str(row.get("n") or "") in ("1", "2", "3", "4"):
                found.append((where, json.dumps(row)))
        found += [(where, said) for said in re.findall(r"\bn\s*(?:=|≥|from)\s*[1-4]\b", text)]
    return found


def points_of_withheld_rows(of: Gathered) -> list[Found]:
    """Points of a drawing (marks, error bars, hover) that stand at a group of which nothing of that page is shown."""
    found = []
    for where, text in of.texts.items():
        if "/page " not in where:
            continue
        groups = _groups_never_shown(of.rows, where)
        for trace in _traces(text):
            for here, there in (("x", "y"), ("y", "x")):
                found += [
                    (where, f"{label}: {value}") for label, value in _points(trace, here, there) if label in groups
                ]
    return found


def _groups_never_shown(rows: pd.DataFrame, where: str) -> set[str]:
    metric = re.search(r"/metric/(\w+)", where)
    of_page = rows if metric is None else rows[rows["metric"] == metric[1]]
    shown = of_page.groupby("group")["shown"].any()
    return set(shown.index[~shown]) - {"all"}


def _points(trace: Mapping[str, Any], here: str, there: str) -> Iterator[tuple[str, float]]:
    labels, values = trace.get(here), trace.get(there)
    if isinstance(labels, list) and isinstance(values, list):
        for label, value in zip(labels, values, strict=False):
            if isinstance(label, str) and isinstance(value, int | float):
                yield label, value


def _traces(text: str) -> Iterator[Mapping[str, Any]]:
    """Every trace of every figure in a callback's answer."""
    try:
        answer = json.loads(text)
    except ValueError:
        return
    for each in _walk(answer):
        if isinstance(each.get("data"), list) and "layout" in each:
            yield from (trace for trace in each["data"] if isinstance(trace, dict))


def _walk(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for below in value.values():
            yield from _walk(below)
    elif isinstance(value, list):
        for below in value:
            yield from _walk(below)


def _rows_in(text: str) -> Iterable[Mapping[str, Any]]:
    """Rows of numbers in a text: of a CSV with Published's columns, or of JSON that holds such rows."""
    start = text.lstrip()
    if start.startswith(("[", "{")):
        try:
            value, _ = json.JSONDecoder().raw_decode(start)
        except ValueError:
            return []
        return [row for row in _walk(value) if {"shown", "value", "n"} <= row.keys()]
    if "\n" in start and {"value", "n", "metric"} <= set(start.split("\n", 1)[0].split(",")):
        return list(csv.DictReader(io.StringIO(start.partition("\n\n")[0])))
    return []
