"""Writes one round's numbers as a frozen release, and tells later whether it still is what it was."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from data.decisions import fixed_part
from data.store.engine import Stores, writing
from data.store.releases import StoredRelease, mark_batches_used, save_release
from pipeline.disclosure.rounding import in_steps
from pipeline.disclosure.thresholds import Thresholds
from pipeline.evidence.finding import Verdict
from pipeline.ingest import Inputs
from pipeline.seal import keyed, seal_is_valid

FORMAT = 1
IDENTICAL, DIFFERS = "identical", "differs"


def release_id(programme_id: str, round_id: str, number: int) -> str:
    """The id of a round's release: readable, and the same whenever it is rebuilt."""
    digest = hashlib.sha256(json.dumps([programme_id, round_id]).encode()).hexdigest()
    return f"{programme_id[:80]}-{number}-{digest[:8]}"


def manifest(
    inputs: Inputs,
    thresholds: Thresholds,
    quarantined: pd.DataFrame,
    *,
    single_item: list[str],
    verdicts: Iterable[Verdict],
    case: Mapping[str, Any] | None,
    key: str,
    code_version: str,
) -> dict[str, Any]:
    """What a release says of itself. Nothing in it counts people or answers more finely than steps of five."""
    asked = inputs.round
    of_release = release_id(asked.programme_id, asked.round_id, asked.number)
    return {
        "format": FORMAT,
        "release": of_release,
        "programme": {"id": inputs.programme.programme_id, "name": inputs.programme.name},
        "round": {
            "id": asked.round_id,
            "number": asked.number,
            "pulse": asked.pulse,
            "opened_on": asked.opens_at.date().isoformat(),
            "closed_on": inputs.closed_on.isoformat(),
        },
        "questionnaire": asked.snapshot_id,
        "thresholds": thresholds.as_dict(),
        "code_version": code_version,
        "quarantined": _in_steps(quarantined["reason"]),
        "single_item": single_item,
        "verdicts": [asdict(each) for each in verdicts],
        "case": case,
        "inputs": {
            "hmac_sha256": inputs_digest(inputs, key),
            "n_masked": inputs.n ^ _mask(of_release, key),
            "n_staff_masked": inputs.n_staff ^ _mask(f"staff of {of_release}", key),
        },
    }


def content_of(manifest: Mapping[str, Any], published: pd.DataFrame) -> str:
    """Manifest and rows as canonical JSON: equal releases give equal bytes."""
    rows = [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in published.astype(object).to_dict("records")
    ]
    whole = {"manifest": manifest, "rows": rows}
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def freeze(stores: Stores, new: StoredRelease, inputs: Inputs) -> StoredRelease:
    """Save a release once, and mark the imports that it used. Safe to repeat after a crash in between."""
    with writing(stores.published) as connection:
        kept = save_release(connection, new)
    with writing(stores.raw) as connection:
        kinds = () if inputs.staff is None else ("employment", "engagement")
        mark_batches_used(connection, kept.release_id, round_ids=inputs.questionnaires, kinds=kinds)
    return kept


def verify(stored: StoredRelease, rebuilt_content: str, key: str) -> str:
    """ "identical", "inputs since erased (n); seal valid" or "differs".

    n counts answers, invitations, ratings, and rows about everyone eligible.
    """
    if not seal_is_valid(stored, key):
        return DIFFERS
    if stored.content == rebuilt_content:
        return IDENTICAL
    kept, rebuilt = (_inputs(content, stored.release_id, key) for content in (stored.content, rebuilt_content))
    n_erased = kept["n"] + kept["n_staff"] - rebuilt["n"] - rebuilt["n_staff"]
    if n_erased > 0 and kept["hmac_sha256"] != rebuilt["hmac_sha256"]:
        return f"inputs since erased ({n_erased}); seal valid"
    return DIFFERS


def inputs_digest(inputs: Inputs, key: str) -> str:
    """One keyed digest of all that a release was made from.

    Keyed, because a plain one would let people who know all answers but one try that one's few values.
    """
    of_staff = () if inputs.staff is None else inputs.staff.tables
    asked_of = (inputs.answers, inputs.invited, inputs.pairings, inputs.goal_ratings, inputs.goals)
    frames = [_digest(frame) for frame in (*asked_of, *of_staff)]
    asked = {name: str(value) for name, value in asdict(inputs.round).items()}
    closed = {id_: day.isoformat() for id_, day in inputs.closed_days.items()}
    said = [frames, asked, inputs.snapshot_ids, closed, inputs.programme.name, fixed_part(inputs.programme.decisions)]
    return keyed(key, json.dumps(said, ensure_ascii=False, sort_keys=True))


def _digest(frame: pd.DataFrame) -> list[object]:
    """A table's columns with their distinct values, and the rows as numbers of these; whatever order they came in."""
    coded = [pd.factorize(frame[name].astype("str"), sort=True) for name in frame.columns]
    codes = np.column_stack([code for code, _ in coded]).astype("<i8")
    rows = codes[np.lexsort(codes.T[::-1])]
    values = {name: list(map(str, distinct)) for name, (_, distinct) in zip(frame.columns, coded, strict=True)}
    return [values, hashlib.sha256(rows.tobytes()).hexdigest()]


def n_inputs(stored: StoredRelease, key: str) -> int:
    """From how many answers, invitations and ratings a release was made."""
    n: int = _inputs(stored.content, stored.release_id, key)["n"]
    return n


def _inputs(content: str, of_release: str, key: str) -> dict[str, Any]:
    about = json.loads(content)["manifest"]["inputs"]
    n_staff = about["n_staff_masked"] ^ _mask(f"staff of {of_release}", key) if "n_staff_masked" in about else 0
    return {"hmac_sha256": about["hmac_sha256"], "n": about["n_masked"] ^ _mask(of_release, key), "n_staff": n_staff}


def _mask(of_release: str, key: str) -> int:
    """Hides the exact number of inputs from everyone without the key."""
    return int(keyed(key, f"number of inputs of {of_release}")[:12], 16)


def _in_steps(reasons: pd.Series) -> dict[str, int]:
    """How many cells each reason set aside, at least: in steps of five; fewer may be one person's and have no entry."""
    counts = {str(reason): in_steps(int(n)) for reason, n in reasons.value_counts().sort_index().items()}
    return {reason: n for reason, n in counts.items() if n}
