"""Answers whether mentoring keeps people and is worth it, or says that it cannot be told yet.

The estimators stand here by name; `case` puts them together for one programme.
"""

from pipeline.business_case.effect import Effect, cannot_tell
from pipeline.business_case.falsification import leave_one_out, negative_control, placebo_dates
from pipeline.business_case.group_time import GroupTime, group_time_att
from pipeline.business_case.rosenbaum import gamma_that_explains, rosenbaum_bound
from pipeline.business_case.sensitivity import benchmark, e_value, e_values, robustness_value
from pipeline.business_case.survival import cumulative_incidence, kaplan_meier, restricted_mean
from pipeline.business_case.trials import censoring_weights, expand_trials
from pipeline.business_case.weighted import weighted_effect

__all__ = [
    "Effect",
    "GroupTime",
    "benchmark",
    "cannot_tell",
    "censoring_weights",
    "cumulative_incidence",
    "e_value",
    "e_values",
    "expand_trials",
    "gamma_that_explains",
    "group_time_att",
    "kaplan_meier",
    "leave_one_out",
    "negative_control",
    "placebo_dates",
    "restricted_mean",
    "robustness_value",
    "rosenbaum_bound",
    "weighted_effect",
]
