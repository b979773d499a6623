"""kill -9 under load, short form: nothing that was acknowledged is lost, doubled or altered."""

from pathlib import Path

import pytest

from tests.faults.kills import Ledger, judge, kill_again_and_again
from tests.support.postgresql import Cluster

BROKEN = "tests.faults.broken_servers"


def test_sqlite_keeps_every_acknowledged_answer(tmp_path: Path) -> None:
    verdict = kill_again_and_again(tmp_path / "home", kills=25)
    assert verdict.is_clean, verdict
    assert verdict.acknowledged >= 100
    assert verdict.repeated > 0


@pytest.mark.postgresql
def test_postgresql_keeps_every_acknowledged_answer(cluster: Cluster, tmp_path: Path) -> None:
    verdict = kill_again_and_again(tmp_path / "home", kills=15, database_url=cluster.new_database())
    assert verdict.is_clean, verdict
    assert verdict.acknowledged >= 50
    assert verdict.repeated > 0


def test_a_server_that_acknowledges_before_it_commits_is_caught(tmp_path: Path) -> None:
    verdict = kill_again_and_again(tmp_path / "home", kills=3, defect=f"{BROKEN}.acknowledges_early")
    assert verdict.lost > 0


def test_a_server_that_forgets_which_page_was_sent_is_caught(tmp_path: Path) -> None:
    verdict = kill_again_and_again(tmp_path / "home", kills=2, defect=f"{BROKEN}.forgets_which_page_it_was")
    assert verdict.doubled > 0


def test_a_store_that_alters_an_answer_is_caught(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.send("page", "as said")
    ledger.acknowledge("page")
    assert judge(ledger, [("page", "as said")], 0).is_clean
    verdict = judge(ledger, [("page", "otherwise")], 0)
    assert (verdict.altered, verdict.lost, verdict.unknown) == (1, 1, 1)
