"""Tests whether groups answer the same instrument in the same way, so that their scores may be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from data.errors import RapportError
from pipeline.instrument.answers_matrix import Labels, codes, numbers
from pipeline.instrument.differential import differential_items
from pipeline.instrument.factor_model import Fitted, Moments, fit, independence, pattern_of

STEPS: dict[str, frozenset[str]] = {
    "configural": frozenset(),
    "metric": frozenset({"loading"}),
    "scalar": frozenset({"loading", "intercept"}),
    "strict": frozenset({"loading", "intercept", "residual"}),
}
CFI_MAY_FALL = 0.010
RMSEA_MAY_RISE = 0.015
CFI_OF_A_FORM = 0.90  # below this the groups do not even share the factors
LEAST_FOR_FACTORS = 150
LEAST_FOR_ITEMS = 30


@dataclass(frozen=True)
class FactorModel:
    """A confirmatory factor model of one group: fit, and estimates with each factor in the unit of its first item.

    `loading` and `intercept` are indexed by item (loading: items × factors), `covariance` factors × factors.
    """

    chi2: float
    df: int
    p: float
    cfi: float
    tli: float
    rmsea: float
    n: int
    loading: pd.DataFrame
    covariance: pd.DataFrame
    residual: pd.Series
    intercept: pd.Series


@dataclass(frozen=True)
class Comparability:
    """What may be compared between groups.

    `level`: strict, scalar, metric, configural or none when factors were tested; items when single items were
    tested; untested otherwise. `is_comparable`: a gap between the groups' means may be claimed. `sentence` says so
    in plain words. `evidence` is the frame of `invariance` or of `differential_items`, or nothing.
    """

    level: str
    is_comparable: bool
    sentence: str
    evidence: pd.DataFrame | None = None


def invariance(items: pd.DataFrame, group: Labels | None, factors: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Fit of four multi-group factor models, each holding more equal than the one before.

    Indexed configural (same factors), metric (+ loadings), scalar (+ intercepts; factor means free but in the
    first group), strict (+ residual variances); columns chi2, df, cfi, rmsea, p, tli, n, n_smallest, is_converged.
    Normal-theory maximum likelihood with means, chi2 = Σ n_g F_g, covariances divided by n, CFI and TLI against
    independent items with free means, RMSEA = √G · √max(0, (chi2/df − 1)/N): as R's lavaan does by default.

    `items`: persons × items, any unit; people with a missing answer or no group are left out. `group`: a label a
    person, or None; with one group nothing can be held equal and the four rows are the same. `factors`: {name:
    [columns]}; factors correlate freely, a factor of one item has no residual. Assumes people answer
    independently: mentors and mentees of one pairing are groups whose chi2 is then only approximate.

    Jöreskog (1971), Psychometrika 36, doi:10.1007/BF02291366; Meredith (1993), Psychometrika 58,
    doi:10.1007/BF02294825; Steiger (1998), Structural Equation Modeling 5.
    """
    used = _used(items, factors)
    moments = _moments(items, group, used)
    pattern = pattern_of(used, factors)
    _refuse_unidentified(pattern)
    rows, near = {}, None
    for step in reversed(STEPS):  # a looser model must not fit worse, so it may start from the stricter one
        near = fit(moments, pattern, STEPS[step], near)
        rows[step] = _fit_row(near, moments)
    return pd.DataFrame([rows[step] for step in STEPS], index=pd.Index(STEPS, name="level"))


def factor_model(items: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> FactorModel:
    """The confirmatory factor model of everybody, estimated as in `invariance`, with its estimates."""
    used, names = _used(items, factors), list(factors)
    moments = _moments(items, None, used)
    pattern = pattern_of(used, factors)
    _refuse_unidentified(pattern)
    fitted = fit(moments, pattern)
    row = _fit_row(fitted, moments)
    return FactorModel(
        chi2=fitted.chi2,
        df=fitted.df,
        p=row["p"],
        cfi=row["cfi"],
        tli=row["tli"],
        rmsea=row["rmsea"],
        n=moments[0].n,
        loading=pd.DataFrame(fitted.loading[0], index=used, columns=names),
        covariance=pd.DataFrame(fitted.factor[0], index=names, columns=names),
        residual=pd.Series(fitted.residual[0], index=used),
        intercept=pd.Series(fitted.intercept[0], index=used),
    )


def comparability(items: pd.DataFrame, group: Labels | None, factors: Mapping[str, Sequence[str]]) -> Comparability:
    """What may be compared: by factor models from 150 complete people a group, by single items from 30, else nothing.

    Below 150 each factor's items are tested one by one for differential functioning against the rest of their
    factor; no finding there is weaker evidence than scalar invariance, and the sentence says so.
    """
    used = _used(items, factors)
    complete = ~np.isnan(numbers(items[used])).any(axis=1)
    if group is None:
        return Comparability("untested", False, _too_few(np.array([len(items)])))
    label = codes(group, items)[0]
    sizes = np.bincount(label[label >= 0])
    whole = np.bincount(label[complete & (label >= 0)], minlength=len(sizes))
    if len(sizes) < 2 or sizes.min() < LEAST_FOR_ITEMS:
        return Comparability("untested", False, _too_few(sizes))
    if whole.min() < LEAST_FOR_FACTORS or _is_unidentified(pattern_of(used, factors)):
        return _by_items(differential_items(items, group, factors=factors))
    return verdict(invariance(items, group, factors))


def verdict(fits: pd.DataFrame) -> Comparability:
    """Reads the frame of `invariance`: the furthest step before CFI falls by more than .010 or RMSEA rises by more
    than .015; below 150 people in the smallest group there is no verdict. Means need scalar invariance.

    Cheung & Rensvold (2002), Structural Equation Modeling 9, doi:10.1207/S15328007SEM0902_5; Chen (2007),
    Structural Equation Modeling 14, doi:10.1080/10705510701301834.
    """
    n = int(fits["n_smallest"].min())
    if n < LEAST_FOR_FACTORS:
        return Comparability(
            "untested",
            False,
            f"Comparability not tested: {n} complete answers in the smallest group, {LEAST_FOR_FACTORS} are needed.",
        )
    if not fits["is_converged"].all() or fits.loc["configural", "cfi"] < CFI_OF_A_FORM:
        return Comparability(
            "none", False, "The groups do not share these factors; their scores are not compared.", fits
        )
    change = fits[["cfi", "rmsea"]].diff()
    holds = ((change["cfi"] >= -CFI_MAY_FALL) & (change["rmsea"] <= RMSEA_MAY_RISE)).iloc[1:].cumprod().astype(bool)
    level = str(["configural", *holds.index[holds]][-1])
    return Comparability(level, level in ("scalar", "strict"), SENTENCES[level], fits)


SENTENCES = {
    "configural": "The groups share the factors, but the questions weigh differently; their scores are not compared.",
    "metric": "Links with other answers may be compared between the groups; their means may not.",
    "scalar": "The groups answer the same measure; their means may be compared.",
    "strict": "The groups answer the same measure equally precisely; their means may be compared.",
}


def _by_items(tested: pd.DataFrame) -> Comparability:
    flagged = [str(item) for item in tested.index[tested["is_flagged"]]]
    if tested["uniform_p"].isna().all():
        return Comparability("untested", False, "Comparability not tested: too few answers to any question.", tested)
    if flagged:
        sentence = (
            f"At the same level, the groups answer {', '.join(flagged)} differently; a gap may be the questions'."
        )
        return Comparability("items", False, sentence, tested)
    return Comparability(
        "items", True, "No question was found to work differently in the groups, in a small sample.", tested
    )


def _too_few(sizes: NDArray[np.int64]) -> str:
    if len(sizes) < 2:
        return "Comparability not tested: there is only one group."
    return f"Comparability not tested: {int(sizes.min())} people in the smallest group, {LEAST_FOR_ITEMS} are needed."


def _used(items: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> list[str]:
    used = list(dict.fromkeys(item for members in factors.values() for item in members))
    absent = [str(item) for item in used if item not in items.columns]
    if absent or not used or not all(len(members) for members in factors.values()):
        raise RapportError(
            f"Every factor must name columns of items; not found: {', '.join(absent) or 'an empty factor'}."
        )
    return used


def _moments(items: pd.DataFrame, group: Labels | None, used: list[str]) -> list[Moments]:
    matrix = numbers(items[used])
    labels = np.zeros(len(matrix), dtype=np.int64) if group is None else codes(group, items)[0]
    kept = ~np.isnan(matrix).any(axis=1) & (labels >= 0)
    matrix, labels = matrix[kept], labels[kept]
    found = []
    for label in np.unique(labels):
        answers = matrix[labels == label]
        covariance = np.atleast_2d(np.cov(answers.T, bias=True)) if len(answers) > 1 else np.zeros((len(used),) * 2)
        if len(answers) <= len(used) or np.linalg.matrix_rank(covariance) < len(used):
            raise RapportError("Every group needs more complete people than items, and items that are not copies.")
        found.append(Moments(answers.mean(axis=0), covariance, len(answers)))
    if not found:
        raise RapportError("A factor model needs people who answered every item.")
    return found


def _is_unidentified(pattern: NDArray[np.bool_]) -> bool:
    n_items, n_factors = pattern.shape
    n_free = int(pattern.sum()) - n_factors + n_factors * (n_factors + 1) // 2 + n_items
    n_free -= int((pattern[:, pattern.sum(axis=0) == 1].any(axis=1) & (pattern.sum(axis=1) == 1)).sum())
    return bool(n_free > n_items * (n_items + 1) // 2)


def _refuse_unidentified(pattern: NDArray[np.bool_]) -> None:
    if _is_unidentified(pattern):
        raise RapportError("A factor that stands alone needs at least three items.")


def _fit_row(fitted: Fitted, moments: Sequence[Moments]) -> dict[str, float | int | bool]:
    baseline, baseline_df = independence(moments)
    n = sum(group.n for group in moments)
    worse = max(fitted.chi2 - fitted.df, 0.0)
    worst = max(baseline - baseline_df, worse)
    ratio = baseline / baseline_df if baseline_df else np.nan
    return {
        "chi2": fitted.chi2,
        "df": fitted.df,
        "cfi": 1 - worse / worst if worst > 0 else 1.0,
        "rmsea": float(np.sqrt(len(moments) * worse / (fitted.df * n))) if fitted.df else 0.0,
        "p": float(stats.chi2.sf(fitted.chi2, fitted.df)) if fitted.df else np.nan,
        "tli": (ratio - fitted.chi2 / fitted.df) / (ratio - 1) if fitted.df else 1.0,
        "n": n,
        "n_smallest": min(group.n for group in moments),
        "is_converged": fitted.converged,
    }
