"""Invites many people to one round that is open now."""

from datetime import datetime, timedelta

from data.settings import Settings
from data.store import people
from data.store.engine import Stores, writing
from surveys.jobs import make_links
from tests.support import cast


def invited(stores: Stores, settings: Settings, n_pairs: int, now: datetime) -> list[str]:
    """The tokens of everyone in so many pairings, beside the cast; the round opened a day ago."""
    with writing(stores.raw) as connection:
        cast.introduce(connection)
        for number in range(n_pairs):
            for side in ("mentor", "mentee"):
                people.save_person(connection, cast.person(f"{side}{number}"))
            cast.pair(connection, f"C{number}", f"mentor{number}", f"mentee{number}")
        cast.open_round(connection, opens_at=now - timedelta(days=1))
    return [link.url.rsplit("/", 1)[1] for link in make_links(stores, settings, "R1", now)]
