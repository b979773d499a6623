"""Lays effects in subgroups side by side, shrunk towards each other by as much as they could differ by chance."""

from collections.abc import Mapping

import pandas as pd
from scipy.stats import chi2

from pipeline.business_case.effect import Effect
from pipeline.pooling import shrink

FEWEST = 3  # subgroups with an answer: with two the spread between them cannot be told from chance


def subgroups(effects: Mapping[str, Effect]) -> pd.DataFrame:
    """One row a subgroup: estimate, se, n as measured; mean, low, high, p_above shrunk; reason where no answer.

    Normal–normal empirical Bayes (`pipeline.pooling.shrink`) over the subgroups with an answer; `p_above` is the
    probability that the subgroup's effect lies above the mean of the effects. Subgroups must not share people.
    With fewer than three answers nothing is shrunk and mean, low, high stay NaN: a single subgroup's own number is
    never a finding. `heterogeneity_p` is Cochran's Q, the same in every row. Whether a row may be shown is the
    disclosure gate's to say.
    """
    columns = {
        name: [getattr(effect, name) for effect in effects.values()] for name in ("estimate", "se", "n", "reason")
    }
    table = pd.DataFrame(columns, index=pd.Index(effects, name="subgroup"))
    told = table[[effect.is_answered and effect.se > 0 for effect in effects.values()]]
    shrunk = pd.DataFrame(index=told.index, columns=["mean", "low", "high", "p_above"], dtype=float)
    if len(told) >= FEWEST:
        shrunk = shrink(told["estimate"], told["se"])
    return table.join(shrunk).assign(heterogeneity_p=_heterogeneity(told))


def _heterogeneity(told: pd.DataFrame) -> float:
    """P of Cochran's Q: effects this far apart, were there one effect (Cochran 1954)."""
    if len(told) < 2:
        return float("nan")
    weight = 1 / told["se"] ** 2
    centre = (weight * told["estimate"]).sum() / weight.sum()
    return float(chi2.sf((weight * (told["estimate"] - centre) ** 2).sum(), len(told) - 1))
