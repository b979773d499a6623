"""The names under which other programs call the numbers: where they stand, and what they ask for."""

import importlib
import inspect

import pytest

SURFACE = {
    "pipeline.instrument": {
        "alpha": "items",
        "omega": "items",
        "generalizability": "long person round item value",
        "invariance": "items group factors",
        "little_mcar": "frame",
    },
    "pipeline.pooling": {"shrink": "estimate se"},
    "pipeline.weighting": {"rake": "sample weight margins"},
    "pipeline.change": {
        "reliable_change": "before after sd reliability",
        "ewma": "values center sigma lam limit",
        "cusum": "values target sigma k h",
    },
    "pipeline.goals": {"attainment_t": "levels weights rho"},
    "pipeline.dyads": {
        "actor_partner": "pairs outcome predictor pairing side distinguishable method mentor",
        "distinguishability": "pairs outcome predictor pairing side",
        "response_surface": "frame outcome own other",
    },
    "pipeline.business_case": {
        "weighted_effect": "frame treated outcome covariates estimand augmented",
        "restricted_mean": "duration event group horizon",
        "cumulative_incidence": "duration event cause at",
        "expand_trials": "panel person period eligible treatment outcome",
        "group_time_att": "panel outcome unit period first_treated covariates",
        "e_value": "rr",
        "robustness_value": "t dof q alpha",
        "rosenbaum_bound": "differences gamma",
    },
}
NAMES = [(module, name) for module, names in SURFACE.items() for name in names]


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_each_number_stands_where_it_is_called_from(module: str, name: str) -> None:
    function = getattr(importlib.import_module(module), name)
    asked = inspect.signature(function).parameters
    wanted = SURFACE[module][name].split()
    assert [each for each in asked if each in wanted] == wanted
    needed = {each for each, parameter in asked.items() if parameter.default is inspect.Parameter.empty}
    assert needed <= set(wanted)
    assert function.__doc__
