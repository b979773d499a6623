"""Two to sixteen schedulers at once: every round, message and time of a job once, whatever is killed."""

import pytest

from data.settings import Settings
from tests.conftest import KEY
from tests.faults.schedulers import run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("schedulers")]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def settings(request, home) -> Settings:
    home.mkdir()
    url = request.getfixturevalue("cluster").new_database() if request.param == "postgresql" else None
    return Settings(home=home, database_url=url, secret_key=KEY)


@pytest.mark.parametrize("n_workers", [2, 6])
def test_schedulers_that_die_under_a_jumping_clock_do_everything_once(settings, n_workers):
    found = run(settings, n_workers=n_workers, seconds=6.0, seed=n_workers)
    assert found.faults == []
    assert found.n_kills >= 15
    assert found.n_messages > 24
    assert found.n_ticks > 5


@pytest.mark.parametrize("defect", ["claims nothing", "settles nothing"])
def test_a_scheduler_that_does_not_ask_is_caught(settings, defect):
    assert run(settings, n_workers=6, seconds=5.0, seed=3, defect=defect).faults != []
