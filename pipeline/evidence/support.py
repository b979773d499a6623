"""Says how the "may need support" rules would have served this programme's past pairings, from operational facts."""

import pandas as pd

from pipeline.attention import Facts, RulesMeasured, measure_rules
from pipeline.disclosure.crowd import Crowd
from pipeline.disclosure.rounding import in_steps
from pipeline.disclosure.thresholds import Thresholds
from pipeline.evidence.finding import NOTHING, Finding, Findings, Verdict, attempt, least
from pipeline.evidence.quality import share_of
from pipeline.evidence.round_facts import RoundFacts

MET, CONTACT, YES = "met_since", "contact_me", "yes"
# Reasons of an early end, as an import gives them: could support have met what lay behind?
COULD_SUPPORT_HELP = {
    "": True,  # "this is not a fit" records no reason, so an early end without one is taken for such
    "not a fit": True,
    "re-matched": True,  # ended for another mentor, so the match did not work
    "no time": True,
    "left the company": False,  # people go for much that a programme team does not touch
    "long leave": False,
    "moved": False,
    "goals reached": False,  # early, and well
}
MOST_UNJUDGED = 0.1  # of early ends; with more, nobody can say which of them were bad
Numbers = tuple[float, float, float]


def support(facts: RoundFacts, thresholds: Thresholds) -> Findings:
    """Recall, false alarms and lead time as of this round; "cannot_tell" where the facts behind a rule are not kept."""
    judged = _judged(facts.pairings)
    if judged is None or facts.goals.empty or not (facts.answers["question_id"] == MET).any():
        return Findings(verdicts=(_verdict("cannot_tell"),))
    measured = attempt(_measured, facts, judged, otherwise=None)
    crowds = {name: _crowd(judged[judged[name]]) for name in ("is_bad", "is_ended")}
    found = [
        Finding(metric=metric, side="both", numbers=numbers, unit=unit, crowd=crowds[of], scale=scale)
        for metric, unit, of, scale, numbers in _told(measured)
    ]
    is_enough = crowds["is_bad"].has(least(thresholds), "both")
    return Findings(numbers=tuple(found), verdicts=(_verdict("measured" if is_enough else "too_few"),))


def _verdict(verdict: str) -> Verdict:
    return Verdict(about="support", construct="", side="both", verdict=verdict)


def _judged(pairings: pd.DataFrame) -> pd.DataFrame | None:
    """The pairings with `is_ended` and `is_bad`; None where there are none, or too many ended for an unknown reason.

    An end is early before the planned day; without one, only the reason can say so. Pairings that ended early for a
    reason that is not in the list are neither good nor bad, and left out.
    """
    ended, planned = (pd.to_datetime(pairings[name]) for name in ("ended_on", "planned_end_on"))
    reason = pairings["end_reason"].fillna("").astype(str).str.strip().str.casefold()
    is_early = ended.notna() & ((ended < planned) | (planned.isna() & (reason != "")))
    is_unknown = is_early & ~reason.isin(COULD_SUPPORT_HELP)
    if pairings.empty or is_unknown.sum() > MOST_UNJUDGED * max(is_early.sum(), 1):
        return None
    is_bad = is_early & reason.map(COULD_SUPPORT_HELP).eq(True)
    return pairings.assign(is_ended=ended.notna(), is_bad=is_bad)[~is_unknown]


def _measured(facts: RoundFacts, judged: pd.DataFrame) -> RulesMeasured:
    """Answers carry no time of their own here: a report or a request is dated on its round's closing day."""
    said = facts.answers[facts.answers["value"] == YES]
    known_on = said["round_id"].map({id_: pd.Timestamp(day) for id_, day in facts.closed_days.items()})
    told = said.assign(known_on=known_on)[["pairing_id", "question_id", "known_on"]].drop_duplicates()
    meetings, requests = (told[told["question_id"] == id_] for id_ in (MET, CONTACT))
    asked_in = facts.answers.loc[facts.answers["question_id"] == MET, "round_id"].unique()
    known = Facts(
        pairings=judged[["pairing_id", "started_on", "ended_on"]],
        meetings=meetings.rename(columns={"known_on": "reported_on"}),
        goals=facts.goals[["pairing_id", "set_on"]],
        requests=requests.rename(columns={"known_on": "requested_on"}),
        asked_on=tuple(pd.Timestamp(facts.closed_days[str(id_)]) for id_ in asked_in),
    )
    until = pd.Timestamp(facts.closed_days[facts.round_id])
    return measure_rules(known, ended_badly=judged.loc[judged["is_bad"], "pairing_id"], until=until)


def _crowd(pairings: pd.DataFrame) -> Crowd:
    mentors, mentees = (frozenset(pairings[name]) for name in ("mentor_id", "mentee_id"))
    return Crowd(mentors=mentors, mentees=mentees, guides=mentors)


def _told(of: RulesMeasured | None) -> list[tuple[str, str, str, tuple[float, float], Numbers]]:
    """Metric, unit, who is behind it, scale and numbers."""
    recall, alarms, lead = NOTHING, NOTHING, NOTHING
    if of is not None:
        n = in_steps(of.n_ended_badly)
        recall = share_of(in_steps(round(of.recall * of.n_ended_badly)), n, n) if n else NOTHING
        alarms = (of.false_alarms, of.false_alarms_low, of.false_alarms_high)
        lead = (of.lead_days, of.lead_low, of.lead_high)
    return [
        ("support_recall", "share", "is_bad", (0.0, 1.0), recall),
        ("support_false_alarms", "alarms", "is_ended", (0.0, 10000.0), alarms),
        ("support_lead", "days", "is_bad", (0.0, float(of.horizon) if of else 0.0), lead),
    ]
