"""Says what an estimator found: a number with its interval and claim, or why there is no answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite, nan

from pipeline.claim import CLAIMS


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One estimate with its 95 % interval.

    `n` people (or units) behind it and `n_effective` what they are worth after weighting; `assumptions` are keys
    of sentences that a report prints; `details` further numbers by name (arm means, weights, diagnostics). Where
    there is no honest answer `reason` says why in one sentence and every number is NaN.
    """

    estimate: float
    low: float
    high: float
    se: float
    n: int
    method: str
    claim: str
    n_effective: float = nan
    unit: str = ""
    assumptions: tuple[str, ...] = ()
    reason: str = ""
    details: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.claim not in CLAIMS:
            raise ValueError(f"{self.claim!r} is not a claim; expected one of {', '.join(CLAIMS)}")

    @property
    def is_answered(self) -> bool:
        """Whether there is an estimate with an interval."""
        return not self.reason and isfinite(self.low) and isfinite(self.high)

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return self.is_answered and (self.low > 0 or self.high < 0)


def cannot_tell(reason: str, *, method: str, claim: str, n: int = 0, **more: float) -> Effect:
    """No answer, and why; `more` are details that say how far it is from one."""
    return Effect(estimate=nan, low=nan, high=nan, se=nan, n=n, method=method, claim=claim, reason=reason, details=more)
