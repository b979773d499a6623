"""The door gives out rows of frozen, intact releases that are not withdrawn, and what they mean."""

from collections.abc import Iterator
from datetime import date, timedelta

import pandas as pd
import pytest
from sqlalchemy import select, update

from data.contracts import Published
from data.errors import RapportError
from data.settings import Settings
from data.store.engine import Stores, migrate, open_stores, reading, writing
from data.store.releases import withdraw_release
from data.tables import releases as kept_releases
from pipeline import published as door
from pipeline.run import run_due
from tests.dashboard.made_releases import make_release
from tests.pipeline.stored import KEY, NOW, ask, make_programme, someone


@pytest.fixture(scope="module")
def two_rounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    opened = open_stores(Settings(home=tmp_path_factory.mktemp("home"), secret_key=KEY))
    migrate(opened)
    make_programme(opened)
    make_programme(opened, "E", n=12)
    ask(opened, 1, pulse="kickoff")
    ask(opened, 2, said=lambda *told: None if told[3] == "future" else someone(*told))
    ask(opened, 1, "E")
    run_due(opened, key=KEY, now=NOW)
    yield opened
    opened.dispose()


def test_published_has_the_rows_of_the_contract_and_of_one_programme_if_asked(two_rounds: Stores) -> None:
    rows = door.published(two_rounds.published)
    assert list(rows.columns) == list(Published.to_schema().columns)
    assert set(rows["round"]) == {"P-R1", "P-R2", "E-R1"}
    assert set(door.published(two_rounds.published, "E")["programme"]) == {"E"}
    withheld = rows[~rows["shown"]]
    assert len(withheld) > 0
    assert withheld[["value", "low", "high", "n"]].isna().all().all()
    assert rows.loc[rows["shown"], ["value", "low", "high", "n"]].notna().all().all()
    assert not rows.duplicated(["release", "view", "group", "side", "metric"]).any()


def test_a_connection_will_do_as_well_as_an_engine(two_rounds: Stores) -> None:
    with reading(two_rounds.published) as connection:
        assert door.published(connection).equals(door.published(two_rounds.published))


def test_latest_trend_and_programmes(two_rounds: Stores) -> None:
    source = two_rounds.published
    assert set(door.latest(source, "P")["round"]) == {"P-R2"}
    assert door.latest(source, "nobody").empty
    trend = door.trend(source, "P", "trust")
    assert trend[["round", "number", "pulse"]].values.tolist() == [["P-R1", 1, "kickoff"], ["P-R2", 2, "pulse"]]
    assert door.trend(source, "P", "staying")["round"].tolist() == ["P-R1"]
    assert door.programmes(source) == [
        door.Programme(id="E", name="Programme E", newest_on=date(2026, 2, 11)),
        door.Programme(id="P", name="Programme P", newest_on=date(2026, 3, 13)),
    ]


def test_a_release_tells_what_it_was_made_with(two_rounds: Stores) -> None:
    first = door.releases(two_rounds.published, "P", key=KEY)[0]
    assert (first.round, first.number, first.pulse, first.seal_valid) == ("P-R1", 1, "kickoff", True)
    assert (str(first.opened_on), str(first.closed_on), first.made_at) == ("2026-02-04", "2026-02-11", NOW)
    assert first.thresholds["score_n"] == 5
    assert first.single_item
    assert not first.is_withdrawn
    other_key = door.releases(two_rounds.published, "P", key="another key" * 5)[0]
    assert other_key.seal_valid is False
    assert door.releases(two_rounds.published, "P")[0].seal_valid is None


def test_every_metric_of_a_release_can_be_explained(two_rounds: Stores) -> None:
    metrics = set(door.published(two_rounds.published)["metric"])
    assert metrics <= set(door.catalogue()) | set(door.FLOWS) | set(door.EVIDENCE)


def test_a_withdrawn_release_is_out_of_sight_and_stays_told(sqlite_stores: Stores) -> None:
    make_programme(sqlite_stores, n=12)
    ask(sqlite_stores, 1)
    ask(sqlite_stores, 2)
    made = run_due(sqlite_stores, key=KEY, now=NOW)
    with writing(sqlite_stores.published) as connection:
        withdraw_release(connection, made[1].release_id, reason="wrong export", now=NOW)
    assert set(door.published(sqlite_stores.published)["round"]) == {"P-R1"}
    assert set(door.latest(sqlite_stores.published, "P")["round"]) == {"P-R1"}
    told = door.releases(sqlite_stores.published, "P")[1]
    assert (told.is_withdrawn, told.withdrawn_reason) == (True, "wrong export")
    with writing(sqlite_stores.published) as connection, pytest.raises(RapportError, match="withdrawn already"):
        withdraw_release(connection, made[1].release_id, reason="again", now=NOW)
    assert run_due(sqlite_stores, key=KEY, now=NOW) == []


def test_a_release_that_was_tampered_with_is_not_given_out(sqlite_stores: Stores) -> None:
    make_programme(sqlite_stores, n=12)
    ask(sqlite_stores, 1)
    content = run_due(sqlite_stores, key=KEY, now=NOW)[0].content
    forged = content.replace('"claim":"describes"', '"claim":"proves"')
    with writing(sqlite_stores.published) as connection:
        connection.execute(update(kept_releases).values(content=forged))
    assert door.published(sqlite_stores.published).empty
    assert door.releases(sqlite_stores.published)[0].seal_valid is False


def test_no_release_at_all_is_an_empty_table(sqlite_stores: Stores) -> None:
    rows = door.published(sqlite_stores.published)
    assert rows.empty
    assert isinstance(rows, pd.DataFrame)
    assert door.programmes(sqlite_stores.published) == []
    assert door.trend(sqlite_stores.published, "P", "trust").empty


# --- what is kept -----------------------------------------------------------------------------------


@pytest.fixture
def kept(stores: Stores) -> tuple[Stores, door.PublishedStore]:
    """Two programmes, one with two releases, behind a door that keeps what it read; on both databases."""
    for programme, number in (("P", 1), ("E", 1), ("P", 2)):
        make_release(stores, number, key=KEY, programme=programme, name=f"Programme {programme}")
    return stores, door.PublishedStore(stores.published, KEY)


def change(stores: Stores, **values: object) -> None:
    with writing(stores.published) as connection:
        connection.execute(update(kept_releases).where(kept_releases.c.round_id == "P-2").values(**values))


def test_what_is_kept_is_what_would_be_read(kept: tuple[Stores, door.PublishedStore]) -> None:
    stores, store = kept
    for _ in range(2):
        for id_ in ("P", "E"):
            assert store.numbers(id_).equals(door.published(stores.published, id_, key=KEY))
            assert store.releases(id_) == door.releases(stores.published, id_, key=KEY)
        assert store.programmes() == door.programmes(stores.published)
    assert set(store.released("P").rows["programme"]) == {"P"}
    assert len(store.released("P").rows) > 0
    assert store.released("P") is store.released("P")
    assert store.released("nobody").rows.empty


@pytest.mark.parametrize(
    ("values", "left"),
    [
        ({"content": kept_releases.c.content + " "}, {"P-1"}),
        ({"content_sha256": "0" * 64}, {"P-1"}),
        ({"seal": "0" * 64}, {"P-1"}),
        ({"withdrawn_at": NOW, "withdrawn_reason": "wrong export"}, {"P-1"}),
        ({"made_at": NOW + timedelta(days=1)}, {"P-1", "P-2"}),
    ],
    ids=["content", "digest", "seal", "withdrawn", "made at"],
)
def test_whatever_changes_in_the_store_counts_at_the_next_look(
    kept: tuple[Stores, door.PublishedStore], values: dict[str, object], left: set[str]
) -> None:
    stores, store = kept
    before, elsewhere = store.released("P"), store.released("E")
    assert set(before.rows["round"]) == {"P-1", "P-2"}
    change(stores, **values)
    after = store.released("P")
    assert after is not before
    assert set(after.rows["round"]) == left
    assert list(after.releases) == door.releases(stores.published, "P", key=KEY)
    assert store.released("E") is elsewhere


def test_a_release_that_is_made_good_again_is_shown_again(kept: tuple[Stores, door.PublishedStore]) -> None:
    stores, store = kept
    with reading(stores.published) as connection:
        query = select(kept_releases.c.content).where(kept_releases.c.round_id == "P-2")
        content = connection.execute(query).scalar_one()
    change(stores, content=content.replace("describes", "proves"))
    assert "P-2" not in set(store.numbers("P")["round"])
    change(stores, content=content)
    assert "P-2" in set(store.numbers("P")["round"])


def test_a_new_release_and_a_new_programme_are_there_at_the_next_look(
    kept: tuple[Stores, door.PublishedStore],
) -> None:
    stores, store = kept
    assert [each.round for each in store.releases("P")] == ["P-1", "P-2"]
    assert [each.id for each in store.programmes()] == ["E", "P"]
    make_release(stores, 3, key=KEY, programme="P")
    make_release(stores, 1, key=KEY, programme="N")
    assert [each.round for each in store.releases("P")] == ["P-1", "P-2", "P-3"]
    assert [each.id for each in store.programmes()] == ["E", "N", "P"]


def test_a_programme_is_called_what_its_newest_release_calls_it(kept: tuple[Stores, door.PublishedStore]) -> None:
    stores, store = kept
    assert store.programmes()[1].name == "Programme P"
    make_release(stores, 3, key=KEY, programme="P", name="A new name")
    assert store.programmes() == door.programmes(stores.published)
    assert store.programmes()[1].name == "A new name"


def test_whoever_changes_numbers_in_hand_changes_nothing_for_others(kept: tuple[Stores, door.PublishedStore]) -> None:
    _, store = kept
    rows = store.numbers("P")
    rows["value"] = 0.0
    rows.loc[:, "claim"] = "proves"
    assert not (store.numbers("P")["value"] == 0.0).all()
    assert "proves" not in set(store.numbers("P")["claim"])


def test_only_so_many_programmes_are_kept(
    kept: tuple[Stores, door.PublishedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, store = kept
    monkeypatch.setattr(door, "MOST_KEPT", 1)
    first = store.released("P")
    assert store.released("P") is first
    store.released("E")
    assert store.released("P") is not first
