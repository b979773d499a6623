"""Says how many people changed by more than noise in this round, and whether the programme's own course moved."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from pipeline.change import LEAST_POINTS, cusum, ewma, predictive_deviation, reliable_change
from pipeline.disclosure.crowd import Shown
from pipeline.disclosure.rounding import in_steps
from pipeline.disclosure.thresholds import Thresholds
from pipeline.evidence.finding import (
    CONSTRUCT,
    NOTHING,
    Finding,
    Findings,
    Verdict,
    attempt,
    crowd_of,
    least,
    metric_of,
    score_keys,
)
from pipeline.evidence.quality import share_of
from pipeline.evidence.reliability import Reliabilities, Reliability
from pipeline.evidence.round_facts import RoundFacts

ROUNDS_BEFORE = 2  # of the same person: fewer cannot tell their usual ups and downs
FALSE_SHARE = 0.05  # of the people flagged, those who did not change
SURE = 1.96  # one in twenty passes it without change
EWMA, CUSUM = {"lam": 0.3, "limit": 3.0}, {"k": 0.5, "h": 5.0}  # NIST/SEMATECH e-Handbook 6.3.2.3 and 6.3.2.4
NORMAL_MEDIAN_RANGE = 0.954  # median distance of two neighbouring values, in their standard deviation
METRICS = ("changed_up", "changed_down", "reliable_change")
Numbers = tuple[float, float, float]


class _Counted(NamedTuple):
    """Of pairings with enough rounds, as one side sees them: how many, of how many people, how many of them higher
    and lower than noise explains, and by the second rule."""

    n: int
    n_people: int
    n_up: int
    n_down: int
    n_reliable: float


def changes(
    facts: RoundFacts, thresholds: Thresholds, shown: Shown, reliable: Reliabilities, so_far: pd.DataFrame | None
) -> Findings:
    """Of every score of one construct, and each of its sides, that this round asks widely.

    `so_far`: the scores of every round; None before there are three.
    """
    asked = _asked(facts, least(thresholds))
    by_pairing = {} if so_far is None else _by_side(so_far, asked)
    scores = {each: _by_person(rows) for each, rows in by_pairing.items()}
    numbers: list[Finding] = []
    verdicts = []
    for construct, side in asked:
        of_side = scores.get((construct, side))
        of_one = reliable.get((construct, side))
        pairings = by_pairing.get((construct, side))
        found = [] if pairings is None else _of_pairings(facts, pairings, construct, side, of_one)
        numbers += found
        verdicts.append(_verdict("changed", construct, side, _people_word(found, thresholds, shown)))
        is_shown = all(shown.get(key, False) for key in score_keys(construct, [side], facts.metrics))
        course = "too_early" if of_side is None or not is_shown else _course(of_side, least(thresholds))
        verdicts.append(_verdict("course", construct, side, course))
    return Findings(numbers=tuple(numbers), verdicts=tuple(verdicts))


def _asked(facts: RoundFacts, enough: int) -> list[tuple[str, str]]:
    named = [name for name in facts.constructs if metric_of(name, facts.metrics) is not None]
    asked = [(name, side) for name in named for side in sorted(facts.asked[name])]
    return [(name, side) for name, side in asked if facts.is_widely_asked(name, side, enough)]


def _by_side(scores: pd.DataFrame, asked: list[tuple[str, str]]) -> dict[tuple[str, str], pd.DataFrame]:
    """Construct and side → one row a pairing and round."""
    by_side = {(str(construct), str(side)): of for (construct, side), of in scores.groupby(["construct", "side"])}
    return {each: by_side.get(each, scores.head(0)) for each in asked}


def _by_person(scores: pd.DataFrame) -> pd.DataFrame:
    """One row a person and round: the mean over their pairings."""
    keys = ["side", "person_id", "round_number"]
    return scores.groupby(keys, as_index=False).agg(score=("score", "mean"), mentor_id=("mentor_id", "first"))


def _verdict(about: str, construct: str, side: str, verdict: str) -> Verdict:
    return Verdict(about=about, construct=construct, side=side, verdict=verdict)


# --- people -----------------------------------------------------------------------------------------


def _of_pairings(
    facts: RoundFacts, scores: pd.DataFrame, construct: str, side: str, reliable: Reliability | None
) -> list[Finding]:
    """The second opinion needs the reliability of one occasion; without several items it has no row."""
    known = _with_rounds_before(scores)
    occasion = float("nan") if reliable is None else reliable.occasion
    counted = attempt(_counted, scores, known, occasion, otherwise=None)
    metrics = METRICS if reliable is not None else METRICS[:-1]
    return [
        Finding(
            metric=metric,
            side=side,
            numbers=NOTHING if counted is None else share,
            unit="share",
            view=CONSTRUCT,
            group=construct,
            crowd=crowd_of(known),
            rests_on=score_keys(construct, [side], facts.metrics),
            scale=(0.0, 1.0),
        )
        for metric, share in zip(metrics, _shares(counted), strict=False)
    ]


def _with_rounds_before(scores: pd.DataFrame) -> pd.DataFrame:
    """This round's rows of the pairings answered about in two earlier rounds or more.

    Pairings, not people: a mentor's mean over two mentees moves less than a view of one, and would pass for steadier.
    """
    latest = scores["round_number"].max()
    before = scores.loc[scores["round_number"] < latest, "pairing_id"].value_counts()
    often = before.index[before >= ROUNDS_BEFORE]
    return scores[(scores["round_number"] == latest) & scores["pairing_id"].isin(often)]


def _counted(scores: pd.DataFrame, known: pd.DataFrame, occasion: float) -> _Counted:
    kept = scores[scores["pairing_id"].isin(known["pairing_id"])]
    found = predictive_deviation(kept, person="pairing_id", round="round_number", score="score")
    is_flagged = found["q"] < FALSE_SHARE
    n_up, n_down = (int((is_flagged & (way * found["deviation"] > 0)).sum()) for way in (1, -1))
    return _Counted(len(found), known["person_id"].nunique(), n_up, n_down, _n_reliable(kept, occasion))


def _n_reliable(scores: pd.DataFrame, occasion: float) -> float:
    """Reliable changes since each pairing's last answer, both about their round's mean: all rising is nobody's change.

    NaN where the reliability on one occasion is not known.
    """
    about = scores.assign(score=scores["score"] - scores.groupby("round_number")["score"].transform("mean"))
    by_pairing = about.sort_values(["pairing_id", "round_number"]).groupby("pairing_id")["score"]
    before, after = by_pairing.nth(-2), by_pairing.nth(-1)
    sd = float(before.std(ddof=1))
    if not 0 <= occasion < 1 or not sd > 0:
        return float("nan")
    found = reliable_change(before=before.to_numpy(), after=after.to_numpy(), sd=sd, reliability=occasion)
    return float((found.abs() > SURE).sum())


def _shares(counted: _Counted | None) -> list[Numbers]:
    if counted is None:
        return [NOTHING] * len(METRICS)
    n, n_people = in_steps(counted.n), in_steps(counted.n_people)
    counts = (counted.n_up, counted.n_down, counted.n_reliable)
    return [NOTHING if np.isnan(count) else share_of(in_steps(int(count)), n, n_people) for count in counts]


def _people_word(found: list[Finding], thresholds: Thresholds, shown: Shown) -> str:
    """From the shares as they are shown, so that the word tells no more than they do."""
    told = [each for each in found if each.metric != "reliable_change" and each.is_shown(thresholds, shown)]
    if not told:
        return "too_early"
    return "some_changed" if any(each.numbers[0] > 0 for each in told) else "no_clear_change"


# --- the programme's course -------------------------------------------------------------------------


def _course(scores: pd.DataFrame, enough: int) -> str:
    """Whether the means of the rounds left their usual range; only from eight rounds with enough people on."""
    by_round = scores.groupby("round_number")["score"].agg(["mean", "size"])
    means = by_round.loc[by_round["size"] >= enough, "mean"]
    if len(means) < LEAST_POINTS:
        return "too_early"
    return attempt(_charted, means, _sampling_sd(scores), otherwise="too_early")


def _sampling_sd(scores: pd.DataFrame) -> float:
    """How much a round's mean moves by who happens to have which day: people and rounds taken out."""
    rest = scores["score"] - scores.groupby("person_id")["score"].transform("mean")
    rest = rest - rest.groupby(scores["round_number"]).transform("mean")
    n_people, n_rounds = scores["person_id"].nunique(), scores["round_number"].nunique()
    freedom = max(len(scores) - n_people - n_rounds + 1, 1)
    return float(np.sqrt((rest**2).sum() / freedom / (len(scores) / n_rounds)))


def _charted(means: pd.Series, sampling_sd: float) -> str:
    """Both charts about the mean of all rounds; what is usual is the moving range, at least what sampling does."""
    ranges = np.abs(np.diff(means.to_numpy()))
    sigma = max(float(np.median(ranges)) / NORMAL_MEDIAN_RANGE, sampling_sd)
    center = float(means.mean())
    averaged = ewma(means, center=center, sigma=sigma, **EWMA)
    summed = cusum(means, target=center, sigma=sigma, **CUSUM)
    return "signal" if averaged["is_signal"].any() or summed["is_signal"].any() else "steady"
