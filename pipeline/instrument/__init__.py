"""Says whether the instrument can be trusted: reliability, comparability, gaps, careless answers, drift."""

from pipeline.instrument.answering import extremes, longest_runs, straight_lining
from pipeline.instrument.comparability import (
    Comparability,
    FactorModel,
    comparability,
    factor_model,
    invariance,
    verdict,
)
from pipeline.instrument.differential import differential_items
from pipeline.instrument.drift import item_drift
from pipeline.instrument.facets import Generalizability, generalizability
from pipeline.instrument.missing import Test, em_covariance, little_mcar, log_likelihood
from pipeline.instrument.reliability import Reliability, alpha, composite_omegas, omega

__all__ = [
    "Comparability",
    "FactorModel",
    "Generalizability",
    "Reliability",
    "Test",
    "alpha",
    "comparability",
    "composite_omegas",
    "differential_items",
    "em_covariance",
    "extremes",
    "factor_model",
    "generalizability",
    "invariance",
    "item_drift",
    "little_mcar",
    "log_likelihood",
    "longest_runs",
    "omega",
    "straight_lining",
    "verdict",
]
