"""Power cuts under the real store: nothing that was confirmed is lost, and each planted defect is caught."""

import pytest

from tests.faults.power_cuts import acknowledge_early, play, recorded

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("power cuts")]


@pytest.fixture
def folders(tmp_path):
    made, left = tmp_path / "made", tmp_path / "left"
    made.mkdir()
    left.mkdir()
    return made, left


@pytest.mark.parametrize("seed", [1, 2])
def test_what_was_confirmed_survives_a_power_cut_at_any_step(folders, seed):
    made, left = folders
    outcome = play(recorded(made, seed=seed), left, n_cuts=2_600, seed=seed)
    assert (outcome.lost, outcome.altered, outcome.corrupt) == ([], [], [])
    assert outcome.n_cuts == 2_600


@pytest.mark.parametrize(
    "defect",
    [{"synchronous": "NORMAL"}, {"synchronous": "OFF"}, {"take": acknowledge_early}],
    ids=["synchronous is NORMAL", "synchronous is OFF", "confirmed before the commit"],
)
def test_a_store_that_confirms_too_early_is_caught(folders, defect):
    made, left = folders
    assert play(recorded(made, seed=3, **defect), left, n_cuts=150, seed=3).lost != []
