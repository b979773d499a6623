"""Two to sixteen schedulers at once: every round, message and time of a job once, whatever is killed."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from data.settings import Settings
from tests.conftest import KEY
from tests.faults.schedulers import run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("schedulers")]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def new_settings(request, tmp_path) -> Callable[[], Settings]:
    """Settings of a place where nothing was kept yet, as often as asked."""
    cluster = request.getfixturevalue("cluster") if request.param == "postgresql" else None

    def new() -> Settings:
        home = Path(tempfile.mkdtemp(dir=tmp_path))
        return Settings(home=home, database_url=cluster.new_database() if cluster else None, secret_key=KEY)

    return new


@pytest.mark.parametrize("n_workers", [2, 6])
def test_schedulers_that_die_under_a_jumping_clock_do_everything_once(new_settings, n_workers):
    found = run(new_settings(), n_workers=n_workers, seconds=6.0, seed=n_workers, n_kills=15)
    assert found.faults == []
    assert found.n_messages > 24
    assert found.n_ticks > 5


@pytest.mark.parametrize("defect", ["claims nothing", "settles nothing"])
def test_a_scheduler_that_does_not_ask_is_caught(new_settings, defect):
    """A blow must fall at the wrong moment for it: on a slow machine that takes some tries."""
    assert any(run(new_settings(), n_workers=6, seconds=5.0, seed=seed, defect=defect).faults for seed in range(3, 15))
