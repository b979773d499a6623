"""Backup and restore: everything comes back, on either database, and nothing that was changed is taken."""

import json
import zipfile
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, func, insert, select, text

from data import tables
from data.backup import backup, restore
from data.errors import RapportError
from data.settings import Settings
from data.store.engine import STORES, Stores, migrate, newest_revision, open_stores, reading, upgrade, writing
from tests.conftest import KEY
from tests.support import cast

NOW = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture
def fresh(tmp_path):
    """Empty stores of another installation, on SQLite."""
    opened = open_stores(Settings(home=tmp_path / "fresh", secret_key=KEY))
    migrate(opened)
    yield opened
    opened.dispose()


def everything(stores: Stores) -> dict[str, list[tuple[object, ...]]]:
    found = {}
    for store in STORES:
        with reading(getattr(stores, store)) as connection:
            for table in getattr(tables, store).sorted_tables:
                rows = connection.execute(select(table).order_by(*table.primary_key.columns)).all()
                found[f"{store}/{table.name}"] = [tuple(row) for row in rows]
    return found


def test_everything_comes_back_also_on_the_other_database(stores, fresh, tmp_path):
    cast.ada_and_ben(stores)
    rows = backup(stores, tmp_path / "kept.zip", key=KEY, now=NOW)
    assert rows["raw/people"] == 4
    assert restore(fresh, tmp_path / "kept.zip", key=KEY) == rows
    assert everything(fresh) == everything(stores)
    assert everything(fresh)["raw/links"] != []
    assert (tmp_path / "kept.zip").stat().st_mode & 0o077 == 0


def test_a_filled_installation_takes_no_backup(sqlite_stores, tmp_path):
    cast.ada_and_ben(sqlite_stores)
    backup(sqlite_stores, tmp_path / "kept.zip", key=KEY, now=NOW)
    with pytest.raises(RapportError, match="holds data already"):
        restore(sqlite_stores, tmp_path / "kept.zip", key=KEY)


def changed(path, member: str, change) -> None:
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content[member] = change(content[member])
    with zipfile.ZipFile(path, "w") as archive:
        for name, each in content.items():
            archive.writestr(name, each)


@pytest.mark.parametrize(
    ("member", "change", "said"),
    [
        ("raw/people.jsonl", lambda content: content.replace(b"Ben", b"Bob"), "damaged in raw/people"),
        ("raw/people.jsonl", lambda content: content[: content.index(b"\n") + 1], "damaged in raw/people"),
        ("manifest.json", lambda content: content.replace(b'"rows": 4', b'"rows": 3'), "was changed"),
    ],
    ids=["a changed name", "a row less", "a changed manifest"],
)
def test_a_changed_backup_is_refused_and_leaves_nothing(sqlite_stores, fresh, tmp_path, member, change, said):
    cast.ada_and_ben(sqlite_stores)
    backup(sqlite_stores, tmp_path / "kept.zip", key=KEY, now=NOW)
    changed(tmp_path / "kept.zip", member, change)
    with pytest.raises(RapportError, match=said):
        restore(fresh, tmp_path / "kept.zip", key=KEY)
    with reading(fresh.raw) as connection:
        assert connection.execute(select(func.count()).select_from(tables.people)).scalar_one() == 0


def test_another_key_and_no_backup_at_all_are_refused(sqlite_stores, fresh, tmp_path):
    backup(sqlite_stores, tmp_path / "kept.zip", key=KEY, now=NOW)
    with pytest.raises(RapportError, match="another secret key"):
        restore(fresh, tmp_path / "kept.zip", key="x" * 48)
    (tmp_path / "no.zip").write_bytes(b"PK nothing")
    with pytest.raises(RapportError, match="cannot be read"):
        restore(fresh, tmp_path / "no.zip", key=KEY)


def test_a_backup_of_the_first_version_is_migrated_on_its_way_in(fresh, home, tmp_path):
    """Made as that version had it: without the tables and the column that came later."""
    cast_file = tmp_path / "older.sqlite"
    older = create_engine(f"sqlite:///{cast_file}")
    older.dispose()
    settings = Settings(home=home, secret_key=KEY)
    stores = open_stores(settings)
    for store in STORES:
        upgrade(getattr(stores, store), store, "0001")
    with writing(stores.raw) as connection:
        for id_ in ("ada", "ben"):
            connection.execute(insert(tables.people).values(person_id=id_, name=id_.title(), language="en"))
    path = tmp_path / "kept.zip"
    _as_the_first_version_did(stores, path)
    restore(fresh, path, key=KEY)
    with reading(fresh.raw) as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == newest_revision(
            "raw"
        )
        assert connection.execute(select(tables.people.c.name).order_by(tables.people.c.name)).scalars().all() == [
            "Ada",
            "Ben",
        ]
    stores.dispose()


def _as_the_first_version_did(stores: Stores, path) -> None:
    """A backup of stores at 0001: the format is today's, the tables are that version's."""
    import hashlib

    from data.backup import FORMAT, MANIFEST, ORDER, _seal

    members = {}
    with zipfile.ZipFile(path, "w") as archive:
        with reading(stores.raw) as connection:
            lines = [json.dumps(dict(row._mapping)) + "\n" for row in connection.execute(select(tables.people))]
        content = "".join(lines).encode()
        archive.writestr("raw/people.jsonl", content)
        members["raw/people"] = {"rows": len(lines), "sha256": hashlib.sha256(content).hexdigest()}
        manifest = {
            "format": FORMAT,
            "made_at": NOW.isoformat(),
            "revisions": dict.fromkeys(ORDER, "0001"),
            "members": members,
        }
        archive.writestr(MANIFEST, json.dumps({**manifest, "seal": _seal(manifest, KEY)}))
