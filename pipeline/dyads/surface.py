"""Estimates whether an outcome goes with the level, the agreement or the difference of two views."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.errors import RapportError
from pipeline.dyads.sides import need, numbers

Floats = NDArray[np.float64]
NAMES = ["a1", "a2", "a3", "a4", "a5"]
LEAST = 200  # pairings from whom on a claim may be made
# Rows a1 … a5 over b0 … b5 of 1, x, y, x², xy, y².
CONTRASTS = np.array(
    [[0, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 1, -1, 0, 0, 0], [0, 0, 0, 1, -1, 1], [0, 0, 0, 1, 0, -1]], dtype=float
)


class Coefficient(float):
    """A number that carries its standard error."""

    se: float

    def __new__(cls, estimate: float, se: float) -> "Coefficient":
        made = super().__new__(cls, estimate)
        made.se = se
        return made

    def __reduce__(self) -> tuple[type["Coefficient"], tuple[float, float]]:
        return Coefficient, (float(self), self.se)

    @property
    def estimate(self) -> float:
        return float(self)


@dataclass(frozen=True, kw_only=True)
class Surface:
    """a1 … a5, each a float with `.se`; `coefficients` (b0 … b5) and `table` (a1 … a5), columns estimate, se.

    `is_enough` says whether the N ≥ 200 are there without which nothing is said about people.
    """

    a1: Coefficient
    a2: Coefficient
    a3: Coefficient
    a4: Coefficient
    a5: Coefficient
    coefficients: pd.DataFrame
    r_squared: float
    n: int

    @property
    def table(self) -> pd.DataFrame:
        each = {name: getattr(self, name) for name in NAMES}
        rows = {name: {"estimate": float(value), "se": value.se} for name, value in each.items()}
        return pd.DataFrame.from_dict(rows, orient="index")

    @property
    def se(self) -> pd.Series:
        return self.table["se"]

    @property
    def is_enough(self) -> bool:
        return self.n >= LEAST


def response_surface(frame: pd.DataFrame, *, outcome: str, own: str, other: str) -> Surface:
    """Polynomial regression of an outcome on two views, and the shape of its surface.

    z = b0 + b1x + b2y + b3x² + b4xy + b5y², x = own, y = other, as given: bring both to one scale with a
    meaningful zero (its midpoint) first, for nothing is centred here. Along agreement (x = y) the surface rises
    by a1 = b1 + b2 and bends by a2 = b3 + b4 + b5; along disagreement (x = −y) it rises by a3 = b1 − b2 and bends
    by a4 = b3 − b4 + b5; a5 = b3 − b5 turns its ridge. One row a pairing; rows with a missing value are left out.

    Standard errors are maximum likelihood's (σ² = RSS / n), as lavaan reports them; the contrasts are linear,
    so the delta method is exact. Assumes independent rows and equal variance. Units: outcome per predictor
    (a1, a3) and per its square.

    Edwards (2002); Humberg, Nestler & Back (2019).
    """
    need(frame, [outcome, own, other])
    z, x, y = (numbers(frame, name) for name in (outcome, own, other))
    whole = np.isfinite(z) & np.isfinite(x) & np.isfinite(y)
    z, x, y = z[whole], x[whole], y[whole]
    design = np.column_stack([np.ones_like(x), x, y, x * x, x * y, y * y])
    if len(z) <= design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
        raise RapportError("Expected two views that take three values or more, and more than six complete rows.")
    beta, covariance, r_squared = _least_squares(design, z)
    a, se = CONTRASTS @ beta, np.sqrt(np.diag(CONTRASTS @ covariance @ CONTRASTS.T))
    shape = {name: Coefficient(float(a[i]), float(se[i])) for i, name in enumerate(NAMES)}
    columns = {"estimate": beta, "se": np.sqrt(np.diag(covariance))}
    coefficients = pd.DataFrame(columns, index=[f"b{i}" for i in range(6)])
    return Surface(**shape, coefficients=coefficients, r_squared=r_squared, n=len(z))


def _least_squares(design: Floats, outcome: Floats) -> tuple[Floats, Floats, float]:
    """Coefficients, their covariance under maximum likelihood, share of variance explained."""
    q, r = np.linalg.qr(design)
    inverse = np.linalg.inv(r)
    beta = inverse @ (q.T @ outcome)
    rest = float(((outcome - design @ beta) ** 2).sum())
    around = float(((outcome - outcome.mean()) ** 2).sum())
    return beta, inverse @ inverse.T * rest / len(outcome), 1 - rest / around if around > 0 else float("nan")
