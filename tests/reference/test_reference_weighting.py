"""Raking against R's survey package (a cluster sample of Californian schools)."""

import numpy as np
import pandas as pd
import pytest

from pipeline.weighting import rake
from tests.support.authority import agree, beside

SCHOOLS = {"E": 4421, "M": 1018, "H": 755}


def test_post_stratified_mean() -> None:
    schools = pd.read_csv(beside("apiclus1.csv"))
    weights = rake(schools, weight="pw", margins={"stype": SCHOOLS})
    reached = weights.groupby(schools["stype"]).sum().to_dict()
    assert reached == pytest.approx(SCHOOLS)
    agree({"post-stratified mean api00": np.average(schools["api00"], weights=weights)}, "pipeline.weighting.rake")
