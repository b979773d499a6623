"""Finds how far a programme has reached: to whom it was offered, and how many of its pairings have met."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from pipeline.business_case.plan import CASE
from pipeline.business_case.roster import days_of, find_spells, month_at_or_after, month_holding
from pipeline.flow import Meetings, flow
from pipeline.ingest import Inputs
from pipeline.staff import Staff

MET, YES = "met_since", "yes"  # the question whether a pairing has met, and its answer
OFFER = ("offered_to", "min_tenure_months")  # what a programme decides of whom it was offered to


def reach(inputs: Inputs, counts: Collection[str]) -> pd.DataFrame:
    """Those of the counts that one round's release can tell: side, metric, unit, n."""
    found = flow(
        inputs.invited_now,
        inputs.pairings,
        on=inputs.closed_on,
        meetings=meetings(inputs),
        n_eligible=n_eligible(inputs),
    )
    return found[found["metric"].isin(counts)]


def meetings(inputs: Inputs) -> Meetings | None:
    """What the counted answers of all rounds so far report; None where no form of theirs asks about meetings.

    Whether there is a number rests on the forms alone, never on who answered.
    """
    pulses = inputs.invited.drop_duplicates("round_id").set_index("round_id")["pulse"]
    rounds = [id_ for id_, pulse in pulses.items() if _is_asked(inputs, str(id_), str(pulse))]
    asked = inputs.invited.loc[inputs.invited["round_id"].isin(rounds), "pairing_id"].nunique()
    if not rounds:
        return None
    is_yes = (inputs.answers["question_id"] == MET) & (inputs.answers["value"] == YES)
    met = inputs.answers.loc[is_yes & inputs.answers["round_id"].isin(rounds), "pairing_id"].nunique()
    return Meetings(met=met, asked=asked)


def _is_asked(inputs: Inputs, round_id: str, pulse: str) -> bool:
    form = inputs.questionnaires[round_id].pulses.get(pulse)
    return form is not None and MET in form.operational


def n_eligible(inputs: Inputs) -> int | None:
    """How many employees could become mentees or have; None where the programme never said to whom it was offered."""
    decided = inputs.programme.decisions.get(CASE, {})
    if inputs.staff is None or not any(name in decided for name in OFFER):
        return None
    return len(_long_enough(inputs.staff) & _as_offered(inputs.staff))


def _long_enough(staff: Staff) -> set[str]:
    """Who is in service on the last day that the file knows, and has been for the months that the offer asks."""
    on = np.array([staff.known_on], "datetime64[D]")
    spells = find_spells(employment=staff.employment, ends=staff.known_on).rows
    left_on = days_of(spells["left_on"])
    serving = spells[np.isnat(left_on) | (left_on >= on)]
    tenure = month_holding(on) - month_at_or_after(days_of(serving["hired_on"]))
    return set(serving.loc[tenure >= staff.plan.min_tenure_months, "person"])


def _as_offered(staff: Staff) -> set[str]:
    """Whose department, location and grade of that day the offer names."""
    until = staff.employment[staff.employment["valid_from"] <= pd.Timestamp(staff.known_on)]
    latest = until.sort_values(["employee_key", "valid_from"], kind="stable").drop_duplicates(
        "employee_key", keep="last"
    )
    is_offered = pd.Series(True, index=latest.index)
    for name, values in staff.plan.offered_to.items():
        is_offered &= latest[name].isin(values)
    return set(latest.loc[is_offered, "employee_key"])
