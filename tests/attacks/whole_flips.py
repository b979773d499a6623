"""Flips one person's answers in a whole installation, lets it run on, and compares what every other role can fetch.

Before pages and reports are fetched, the published store of the flipped installation gets the released values of the
other one: what then still differs came another way. Only its person's own mails and pages are left out; of who
answered, also what an administrator of the server sees (verbs, the timetable's own words).

`python -m tests.attacks.whole_flips` does each flip by itself.
"""

import csv
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, update

from data import tables
from data.store.comments import batches_of
from data.store.engine import reading, writing
from data.store.releases import releases_of
from pipeline.comments import batch, releasing
from pipeline.seal import sealed
from tests.attacks import artefacts
from tests.attacks.artefacts import Artefacts
from tests.attacks.installation import MIDDLE, OVER, SECOND, Installation, made
from tests.attacks.non_interference import differences, steady

BEN = "P0:mentee"
OWN = ("mail to benqzx/",)
ADMINISTRATORS = ("verbs/", "file/", "log/")
BY_HAND = (("quarantine", "--json"), ("rounds", "due"), ("comments", "--json"), ("doctor",), ("run",))
Flip = Callable[[Connection], None]


@dataclass
class World:
    """What one installation gave to everybody, and what it published."""

    found: Artefacts
    releases: list[str]
    batches: list[str]


def after(of: Installation, flip: Flip | None, base: World | None = None, *, thorough: bool = False) -> World:
    """Let an installation run on after a flip; `base` is the world whose released values it is shown with.

    `thorough` adds every role, every metric's page, the report as PDF and `rapport verify`.
    """
    if flip is not None:
        with writing(of.stores.raw) as connection:
            flip(connection)
    with artefacts.logged() as log:
        found = artefacts.answering_pages(of)
        found["verbs/the timetable"] = of.walk(MIDDLE, OVER)
        found |= _comments(of)
        found |= artefacts.verbs(of, (*BY_HAND, ("verify",)) if thorough else BY_HAND)
        releases, batches = published(of)
        if base is not None:
            _show(of, base)
        found |= artefacts.afterwards(of, OVER, thorough=thorough)
        found |= artefacts.verbs(of, [words for words in artefacts.VERBS if words[0] in ("published", "import")])
    return World({**found, "log/everything": log.getvalue()}, releases, batches)


def published(of: Installation) -> tuple[list[str], list[str]]:
    with reading(of.stores.published) as connection:
        return [each.content for each in releases_of(connection)], [each.content for each in batches_of(connection)]


def _comments(of: Installation) -> Artefacts:
    """A person releases all comments; who marks the sheet sees the others' in an order of their own."""
    path, key = of.home.parent / f"pool of {of.home.name}.csv", str(of.settings.secret_key)
    releasing.write_pool(of.stores, "mentoring", path, key=key, by="Pia", now=OVER)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [{**row, "decision": "keep"} for row in csv.DictReader(file)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "decision", "comment"])
        writer.writeheader()
        writer.writerows(rows)
    releasing.release(of.stores, "mentoring", path, key=key, by="Pia", now=OVER)
    (content,) = published(of)[1]
    told = json.loads(content)
    told["comments"] = [each for each in told["comments"] if "qzx" not in each]
    return {"hr/others' comments": json.dumps(told)}


def _show(of: Installation, base: World) -> None:
    """The released values of another world, under the same seal as there."""
    with writing(of.stores.published) as connection:
        for table, contents in ((tables.releases, base.releases), (tables.comment_batches, base.batches)):
            for content in contents:
                about = json.loads(content)
                key = table.c[next(iter(table.primary_key.columns)).name]
                name = about.get("batch") or about["manifest"]["release"]
                connection.execute(
                    update(table).where(key == name).values(content=content, **_seal(of, table, content))
                )


def _seal(of: Installation, table: Any, content: str) -> dict[str, str]:
    key = str(of.settings.secret_key)
    if table is tables.releases:
        new = sealed(content, key=key, now=OVER)
        return {"content_sha256": new.content_sha256, "seal": new.seal}
    return {"content_sha256": batch._sha256(content), "seal": batch._seal(content, key)}


def compared(base: World, other: World, homes: tuple[Path, Path], left_out: Iterable[str] = ()) -> list[str]:
    """The names of everything that differs."""
    strays = [each for one, two in zip(base.releases, other.releases, strict=True) for each in differences(one, two)]
    left_out = (*OWN, *left_out)
    names = {name for name in {*base.found, *other.found} if not name.startswith(left_out)}
    for name in sorted(names):
        texts = [steady(world.found.get(name, ""), home) for world, home in zip((base, other), homes, strict=True)]
        if texts[0] != texts[1]:
            strays.append(name)
    return strays


# --- flips -------------------------------------------------------------------------------------------


def other_answers(connection: Connection) -> None:
    """Ben says the lowest to every question on a scale in the open round, and of his goals."""
    this = tables.answers.c.response_id == _response(connection, SECOND)
    on_a_scale = tables.answers.c.value.in_(("2", "3", "4", "5"))
    connection.execute(update(tables.answers).where(this, on_a_scale).values(value="1"))
    rated = tables.goal_ratings.c.response_id == _response(connection, SECOND)
    connection.execute(update(tables.goal_ratings).where(rated).values(level=-2))


def other_comments(connection: Connection) -> None:
    """Ben's comments say something else, at other lengths."""
    for round_id, text in (("R1", "qzx " * 300), (SECOND, "qzx!")):
        this = tables.responses.c.response_id == _response(connection, round_id)
        connection.execute(update(tables.responses).where(this).values(comment=text))


def other_ticks(connection: Connection) -> None:
    """Ben keeps his comments to himself, and rather ticks none."""
    for round_id in ("R1", SECOND):
        this = tables.responses.c.response_id == _response(connection, round_id)
        connection.execute(update(tables.responses).where(this).values(is_comment_for_release=False))


def silence(connection: Connection) -> None:
    """Ben has not answered the open round."""
    of_ben = _response(connection, SECOND)
    for table in (tables.answers, tables.goal_ratings, tables.responses):
        connection.execute(delete(table).where(table.c.response_id == of_ben))


def _response(connection: Connection, round_id: str) -> str:
    query = select(tables.responses.c.response_id).where(tables.responses.c.invitation_id == f"{round_id}:{BEN}")
    return str(connection.execute(query).scalar_one())


FLIPS: dict[str, tuple[Flip, tuple[str, ...]]] = {
    "answers": (other_answers, ()),
    "comments": (other_comments, ()),
    "ticks": (other_ticks, ()),
    "silence": (silence, ADMINISTRATORS),
}


def main() -> None:
    """Each flip by itself over one installation: how many artefacts were compared, and which differ."""
    told: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        base = made(Path(folder) / "base")
        one = base.copy(Path(folder) / "as it was")
        seen = after(one, None, thorough=True)
        for name, (flip, left_out) in FLIPS.items():
            two = base.copy(Path(folder) / name)
            other = after(two, flip, seen, thorough=True)
            told[name] = {
                "artefacts": len(other.found),
                "moved a released value": seen.releases != other.releases or seen.batches != other.batches,
                "differences": compared(seen, other, (one.home, two.home), left_out),
            }
    print(json.dumps(told, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
