"""Makes people and pairings out of the first hour's one sheet, where nobody has an id yet."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from data.imports.report import Refusal
from data.imports.rows import Good

TWO_NAMES = "one e-mail address with two names"


def person_id(email: str) -> str:
    """The id of whoever has this address, the same in every import."""
    return f"p-{_short(email.casefold())}"


def pairing_id(row: Good) -> str:
    """The id of two people who started on a day, the same in every import."""
    told = [row.values[name] for name in ("mentor_email", "mentee_email", "started_on")]
    return f"pair-{_short(' '.join(str(part) for part in told).casefold())}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def split_names(rows: Sequence[Good]) -> tuple[list[Good], list[Refusal]]:
    """An address under which two names stand is nobody's: its rows are refused."""
    names: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for side in ("mentor", "mentee"):
            names[row.values[f"{side}_email"].casefold()].add(row.values[f"{side}_name"])
    good: list[Good] = []
    refused: list[Refusal] = []
    for row in rows:
        emails = [row.values[f"{side}_email"].casefold() for side in ("mentor", "mentee")]
        if any(len(names[email]) > 1 for email in emails):
            refused.append(Refusal(row.number, TWO_NAMES, "", row.cells))
        else:
            good.append(row)
    return good, refused


def people_rows(rows: Iterable[Good]) -> list[dict[str, Any]]:
    """Everyone on the sheet, once. Department and language are the mentee's; a mentor has them where all
    of the mentor's rows agree and the mentor is nobody's mentee."""
    found: dict[str, dict[str, Any]] = {}
    told: dict[tuple[str, str, str], set[Any]] = defaultdict(set)
    for row in rows:
        for side in ("mentor", "mentee"):
            email = row.values[f"{side}_email"]
            id_ = person_id(email)
            found.setdefault(id_, {"person_id": id_, "name": row.values[f"{side}_name"], "email": email})
            for name in {"department", "language"} & set(row.values):
                told[id_, side, name].add(row.values[name])
    for (id_, side, name), values in told.items():
        if side == "mentee" or (id_, "mentee", name) not in told:
            only = next(iter(values)) if len(values) == 1 else None
            found[id_][name] = only
    return list(found.values())
