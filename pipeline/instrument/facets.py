"""Says how far levels, and changes, of a person's answers over rounds can be told from noise."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.errors import RapportError
from pipeline.instrument.components import (
    Answers,
    anova,
    is_small_enough,
    refuse_too_small,
    reml,
    sums_of_squares,
)

METHODS = ("auto", "anova", "reml", "sums of squares")


@dataclass(frozen=True)
class Generalizability:
    """Variance components and the reliabilities they give a design of n_rounds × n_items answers a person.

    components: p persons, t rounds, i items, pt, pi, ti, e, in squared units of the answers. RkF: mean over these
    rounds and items; R1R: one round; RkR: mean over rounds drawn at random; Rc: change between rounds; RkRn, Rcn:
    the same two with rounds nested in persons (nested: {p, pt, e}). NaN where a ratio has no sense.
    """

    components: dict[str, float]
    RkF: float
    R1R: float
    RkR: float
    Rc: float
    RkRn: float
    Rcn: float
    nested: dict[str, float]
    n_persons: int
    n_rounds: float
    n_items: float
    method: str


def generalizability(
    long: pd.DataFrame,
    *,
    person: str,
    round: str,  # noqa: A002 - the name of the design
    item: str,
    value: str,
    n_rounds: float | None = None,
    n_items: float | None = None,
    method: str = "auto",
    with_nested: bool = True,
) -> Generalizability:
    """Persons × rounds × items, all random: y = μ + p + t + i + pt + pi + ti + e.

    With a = σ²p + σ²pi/n_i: RkF = a / (a + σ²e/(n_t n_i)); R1R = a / (a + σ²t + σ²pt + σ²e/n_i); RkR = a / (a +
    σ²t/n_t + σ²pt/n_t + σ²e/(n_t n_i)); Rc = σ²pt / (σ²pt + σ²e/n_i). Nested, from y = μ + p + t(p) + e: RkRn =
    σ²p / (σ²p + σ²t(p)/n_t + σ²e/(n_t n_i)), Rcn = σ²t(p) / (σ²t(p) + σ²e/n_i). As R's psych::mlr.

    `long`: one row a person, round and item at most, rows without a value are dropped. `method`: anova for a
    balanced design (negative components stay, as in the reference), otherwise reml (components ≥ 0), which takes
    rotating items and silent rounds as missing at random; sums of squares where REML would take minutes. "auto"
    chooses. The nested model is always REML, or sums of squares cut at 0 for very large designs;
    left out (`with_nested`), its ratios are NaN. Default n_rounds and n_items: all there are; where a rotation asks
    fewer, give the number a person really answers.

    Cranford et al. (2006), Personality and Social Psychology Bulletin 32, doi:10.1177/0146167206287721; Shrout &
    Lane (2012), in Mehl & Conner (eds.), Handbook of Research Methods for Studying Daily Life, equations 6–11.
    """
    answers = _answers(long, person, round, item, value)
    chosen = _method(answers, method)
    found = {"anova": anova, "reml": reml, "sums of squares": sums_of_squares}[chosen](answers)
    components = {name: found[name] for name in ("p", "t", "i", "pt", "pi", "ti", "e")}
    nested = _nested(answers) if with_nested else dict.fromkeys(("p", "pt", "e"), float("nan"))
    t, i = n_rounds or answers.n_levels[1], n_items or answers.n_levels[2]
    return Generalizability(
        components,
        *_crossed_ratios(components, t, i),
        *_nested_ratios(nested, t, i),
        nested,
        answers.n_levels[0],
        t,
        i,
        chosen,
    )


def _answers(long: pd.DataFrame, person: str, round_: str, item: str, value: str) -> Answers:
    absent = [name for name in (person, round_, item, value) if name not in long.columns]
    if absent:
        raise RapportError(
            f"Generalizability expects columns for person, round, item and value; missing: {', '.join(absent)}."
        )
    rows = long[[person, round_, item, value]].dropna()
    if rows.duplicated([person, round_, item]).any():
        raise RapportError("Generalizability expects one value a person, round and item.")
    coded = [pd.factorize(rows[name]) for name in (person, round_, item)]
    answers = Answers(
        np.column_stack([code for code, _ in coded]).astype(np.int64).reshape(-1, 3),
        (len(coded[0][1]), len(coded[1][1]), len(coded[2][1])),
        rows[value].to_numpy(dtype=float),
    )
    refuse_too_small(answers)
    if np.ptp(answers.value) == 0:
        raise RapportError("Generalizability needs answers that vary.")
    return answers


def _method(answers: Answers, method: str) -> str:
    if method not in METHODS:
        raise RapportError(f"The method is one of {', '.join(METHODS)}.")
    if method == "anova" and not answers.is_balanced:
        raise RapportError("ANOVA needs a balanced design: every person answers every item in every round.")
    if method != "auto":
        return method
    if answers.is_balanced:
        return "anova"
    return "reml" if is_small_enough(answers) else "sums of squares"


def _nested(answers: Answers) -> dict[str, float]:
    if is_small_enough(answers):
        return reml(answers, ("p", "pt"))
    return {name: max(found, 0.0) for name, found in sums_of_squares(answers, ("p", "pt")).items()}


def _crossed_ratios(of: dict[str, float], t: float, i: float) -> tuple[float, float, float, float]:
    person, error = of["p"] + of["pi"] / i, of["e"] / i
    return (
        _ratio(person, error / t),
        _ratio(person, of["t"] + of["pt"] + error),
        _ratio(person, of["t"] / t + of["pt"] / t + error / t),
        _ratio(of["pt"], error),
    )


def _nested_ratios(of: dict[str, float], t: float, i: float) -> tuple[float, float]:
    error = of["e"] / i
    return _ratio(of["p"], of["pt"] / t + error / t), _ratio(of["pt"], error)


def _ratio(true: float, noise: float) -> float:
    return float(true / (true + noise)) if true + noise > 0 else float("nan")
