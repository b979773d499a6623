"""A canary in every confidential field, looked for in everything that any role can fetch: none is found.

Controls: each canary is in the store, those who may read one do, and a page or log that leaks one is caught.
"""

import re
import sqlite3
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.main import get_command

import rapport
from data import tables
from data.store.engine import reading
from tests.attacks import artefacts
from tests.attacks.artefacts import Artefacts
from tests.attacks.installation import CANARIES, MIDDLE, OVER, Installation, made, tokens

pytestmark = pytest.mark.xdist_group("canaries")  # one installation for all of them

# Where the programme team reads who is in a pairing.
TEAM = ("hr of mentoring/page /pairings", "hr of mentoring/shell /pairings")
# Who may read a canary, and does: the start of an artefact's name.
MAY = {
    "name": ("ada/", "mail to ada/", "mail to benqzx/", *TEAM, "operational view mentoring/pairings"),
    "address": ("mail to benqzx/",),
    "mailed token": ("mail to benqzx/",),
    "key": ("file/secret.key",),
    "goal": ("ada/",),
    "level": ("ada/",),
    "refused name": ("verbs/quarantine --json",),  # the administrator mends the file by it
}
# Verbs that are not run here, and why.
NOT_RUN = {
    "init": "there is an installation", "serve": "its servers are asked in this process",
    "work": "for ever; its jobs are run one by one", "tick": "the same jobs", "rehearse": "the same jobs",
    "demo": "needs an empty installation", "report": "its files are read", "demonstrate-attack": "synthetic data only",
    "programme case": "a plan and costs, no answers", "design power": "its own arguments only",
    "design allocate": "a file of one's own", "design check": "the same file", "design analyse": "the same file",
}  # fmt: skip


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    of = made(tmp_path_factory.mktemp("canaries") / "home")
    yield of
    of.stores.dispose()


@pytest.fixture(scope="module")
def secrets(installation: Installation) -> Mapping[str, str]:
    """Every canary, and what is secret by itself: Ben's links, pseudonym and response, the key, a password's hash."""
    found = dict(CANARIES)
    found["token"] = tokens(installation)["ben"]
    mailed = next(mail for name, mail in artefacts.mails(installation.home).items() if "to benqzx/" in name)
    found["mailed token"] = re.findall(r"/a/([\w-]{43})", mailed)[0]
    found["key"] = str(installation.settings.secret_key)
    with reading(installation.stores.raw) as raw, reading(installation.stores.access) as access:
        found["pseudonym"] = raw.execute(select(tables.employment.c.employee_key)).scalar_one()
        said = select(tables.responses.c.response_id).where(tables.responses.c.invitation_id == "R1:P0:mentee")
        found["response"] = raw.execute(said).scalar_one()
        found["password"] = access.execute(select(tables.accounts.c.password_hash)).scalars().first() or ""
    assert all(len(each) > 6 for each in found.values())
    return found


@pytest.fixture(scope="module")
def fetched(installation: Installation, secrets: Mapping[str, str]) -> Artefacts:
    """Everything that everybody gets, before, while and after the round ends, with all that is logged meanwhile."""
    with artefacts.logged() as log:
        found = artefacts.answering_pages(installation)
        found["verbs/the timetable"] = installation.walk(MIDDLE, OVER)
        found |= artefacts.verbs(installation)
        found |= artefacts.afterwards(installation, OVER, thorough=True)
    return {**found, "log/everything": log.getvalue()}


def found_in(fetched: Artefacts, canary: str) -> set[str]:
    return {name for name, text in fetched.items() if canary in text}


def test_every_canary_lives_in_the_store(installation: Installation, secrets: Mapping[str, str]) -> None:
    kept = b"".join(_dump(installation.home / f"{store}.sqlite") for store in ("raw", "access"))
    hidden = {name for name, canary in secrets.items() if canary.encode() not in kept}
    assert hidden == {"token", "mailed token", "key"}  # of links the store has digests only


def _dump(path: Path) -> bytes:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        return "\n".join(store.iterdump()).encode()


def test_no_canary_is_where_nobody_may_read_it(fetched: Artefacts, secrets: Mapping[str, str]) -> None:
    strays = {
        name: {place for place in found_in(fetched, canary) if not place.startswith(MAY.get(name, ()))}
        for name, canary in secrets.items()
    }
    assert {name: places for name, places in strays.items() if places} == {}


@pytest.mark.parametrize("name", sorted(MAY))
def test_who_may_read_a_canary_does(fetched: Artefacts, secrets: Mapping[str, str], name: str) -> None:
    """Or the search would find nothing because nothing was fetched."""
    places = found_in(fetched, secrets[name])
    assert [start for start in MAY[name] if not any(place.startswith(start) for place in places)] == []


def test_everything_was_fetched(fetched: Artefacts) -> None:
    starts = ("visitor/", "ada/", "guide2/", "hr of mentoring/", "leader/", "hr of elsewhere/", "employee-rep/")
    starts += ("protection/", "admin/", "safe-contact/", "verbs/", "mail to ", "file/", "published store/", "log/")
    assert [start for start in starts if not any(name.startswith(start) for name in fetched)] == []
    assert {"leader/report .html", "leader/report .pdf", "hr of mentoring/404", "leader/broken"} <= set(fetched)
    assert "Trust" in fetched["hr of mentoring/page /metric/trust"]
    assert "Trust" in fetched["leader/report .pdf"]
    assert len(fetched["log/everything"]) > 1000


def test_a_page_a_log_and_a_file_that_leak_are_caught(installation: Installation, fetched: Artefacts) -> None:
    import logging

    with artefacts.logged() as log:
        logging.getLogger("rapport.answers").debug("stored %s", CANARIES["comment"])
    leaky = {**fetched, "log/answers": log.getvalue()}
    leaky["leader/page /pairings"] = f"Goals: {CANARIES['goal']}"
    (installation.home / "links.csv").write_text(CANARIES["address"])
    leaky |= artefacts.files(installation.home)
    (installation.home / "links.csv").unlink()
    assert found_in(leaky, CANARIES["comment"]) == {"log/answers"}
    assert "leader/page /pairings" in found_in(leaky, CANARIES["goal"])
    assert "file/links.csv" in found_in(leaky, CANARIES["address"])


def test_files_beside_the_stores_are_for_their_owner_only(installation: Installation, fetched: Artefacts) -> None:
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in installation.home.rglob("*") if path.is_file()}
    private = [path for path in modes if path.suffix in (".eml", ".sqlite", ".key", ".zip")]
    assert len(private) > 20
    assert [path.name for path in private if modes[path] & 0o077] == []
    assert stat.S_IMODE(installation.home.stat().st_mode) & 0o077 == 0


def test_every_verb_is_run_or_says_why_not() -> None:
    run = {" ".join(words) for words in artefacts.VERBS}
    missing = {
        name
        for name in _verbs()
        if name not in NOT_RUN and not any(each == name or each.startswith(f"{name} ") for each in run)
    }
    assert missing == set()


def _verbs() -> set[str]:
    found = set()
    for name, command in get_command(rapport.app).commands.items():
        below = getattr(command, "commands", {})
        found |= {f"{name} {each}" for each in below} or {name}
    return found
