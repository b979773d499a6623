"""A withdrawn release is out of sight everywhere, is never made again, and is still counted by what follows."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import rapport
from dashboard.app import create_app
from dashboard.reports.write import write
from data.errors import RapportError
from data.settings import Settings
from data.store import audit
from data.store.accounts import open_accounts
from data.store.engine import Stores, reading
from data.store.releases import read_release, releases_of
from pipeline import published as door
from pipeline.ingest import ingest
from pipeline.jobs import run_due, run_one, withdraw
from pipeline.published import open_published
from pipeline.run import build
from pipeline.seal import seal_is_valid
from pipeline.weigh import last_releases
from tests.dashboard.conftest import PASSWORD, Reader, sign_in
from tests.dashboard.made_releases import make_release
from tests.pipeline.stored import KEY, NOW, ask, make_programme

REASON = "The map swapped two questions."


@pytest.fixture
def rounds(sqlite_stores: Stores) -> tuple[Stores, list[str]]:
    return sqlite_stores, [make_release(sqlite_stores, number, key=KEY) for number in (1, 2)]


def test_no_surface_shows_it_any_more(rounds: tuple[Stores, list[str]], home: Path, tmp_path: Path) -> None:
    stores, (first, second) = rounds
    settings = Settings(home=home, secret_key=KEY)
    accounts = open_accounts(settings)
    accounts.add(email="cleo@cast.example", role="hr", programme_id="mentoring", password=PASSWORD, now=NOW)
    published = open_published(settings)
    reader = Reader(create_app(settings, published, accounts, clock=lambda: NOW).server.test_client())
    sign_in(reader.client, "cleo@cast.example")
    surfaces = {
        "rows": lambda: set(published.numbers()["release"]),
        "latest": lambda: set(door.latest(stores.published, "mentoring", key=KEY)["release"]),
        "overview": lambda: reader.text("/"),
        "metric": lambda: reader.text("/metric/trust"),
        "csv": lambda: reader.client.get("/metric/trust.csv").get_data(as_text=True),
        "report": lambda: write(
            published, organisation="O", programme_id="mentoring", language="en", formats=["html"], out=tmp_path
        )[0].read_text("utf-8"),
    }
    assert [name for name, shown in surfaces.items() if second not in shown()] == []  # there is something to hide
    withdraw(stores, second, reason=REASON, by="Cleo (root)", now=NOW)
    assert [name for name, shown in surfaces.items() if second in shown()] == []
    assert [name for name, shown in surfaces.items() if first not in shown()] == []
    page = reader.text("/releases")
    assert second in page
    assert REASON in page


def test_its_round_gets_no_other_release_and_the_next_one_is_as_it_would_have_been(sqlite_stores: Stores) -> None:
    make_programme(sqlite_stores, n=16)
    for number in (1, 2):
        ask(sqlite_stores, number)
    first, second = run_due(sqlite_stores, key=KEY, now=NOW)
    ask(sqlite_stores, 3)
    inputs = ingest(sqlite_stores.raw, programme_id="P", round_id="P-R3")
    third = build(inputs, key=KEY, earlier=last_releases(sqlite_stores, "P", 3, KEY))
    withdraw(sqlite_stores, second, reason=REASON, by="Cleo", now=NOW)
    read_before = [each.round_id for each in last_releases(sqlite_stores, "P", 3, KEY)]
    assert read_before == ["P-R2", "P-R1"]  # it was read, so the gate still counts it
    assert run_one(sqlite_stores, "P-R2", key=KEY, now=NOW) == second
    (made,) = run_due(sqlite_stores, key=KEY, now=NOW)
    with reading(sqlite_stores.published) as connection:
        kept = {each.release_id: each for each in releases_of(connection)}
    assert sorted(kept) == sorted([first, second, made])
    assert kept[second].withdrawn_reason == REASON
    assert kept[made].content == third


def test_it_is_written_down_and_cannot_be_done_twice_or_without_a_reason(rounds: tuple[Stores, list[str]]) -> None:
    stores, (first, _) = rounds
    for reason in ("", "  \n", "x" * 301, "a\x1b[31mb"):
        with pytest.raises(RapportError, match="with a reason: a sentence of at most 300"):
            withdraw(stores, first, reason=reason, by="Cleo", now=NOW)
    withdraw(stores, first, reason=REASON, by="Cleo (root)", now=NOW)
    with pytest.raises(RapportError, match="was withdrawn already"):
        withdraw(stores, first, reason=REASON, by="Cleo", now=NOW)
    with reading(stores.access) as connection:
        entries = audit.entries(connection)
    told = [(each["who"], each["action"], each["about"], each["at"]) for each in entries]
    assert told == [("Cleo (root)", "release withdrawn", f"{first}: {REASON}", NOW)]


def test_the_verb_says_what_it_did_or_one_sentence(rounds: tuple[Stores, list[str]], home: Path) -> None:
    stores, (first, _) = rounds
    (home / "secret.key").write_text(KEY)

    def run(*words: str) -> str:
        return CliRunner().invoke(rapport.app, ["--home", str(home), *words], catch_exceptions=False).stdout

    with pytest.raises(RapportError, match="There is no release nonsense;") as refused:
        run("release", "withdraw", "nonsense", "--reason", REASON)
    assert "\n" not in str(refused.value)
    said = run("release", "withdraw", first, "--reason", REASON, "--by", "Cleo")
    assert said.startswith(f"{first} is withdrawn: no page, report or download shows it any more.")
    with reading(stores.access) as connection:
        assert audit.entries(connection)[0]["who"].startswith("Cleo (")
    with reading(stores.published) as connection:
        assert seal_is_valid(read_release(connection, first), KEY)  # what was sealed is as it was
    assert first not in run("published")
