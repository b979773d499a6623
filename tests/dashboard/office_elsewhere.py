"""Writes a made report as an office file in a process of its own: its kind and where are the arguments."""

import sys
import tempfile
from pathlib import Path

from dashboard.findings import numbers_of
from dashboard.reports.report import report_of
from dashboard.reports.write import FORMATS
from data.settings import Settings
from data.store.engine import migrate, open_stores
from pipeline.published import open_published
from tests.dashboard.made_releases import make_release

KEY = "k" * 48


def main(kind: str, out: Path) -> None:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), secret_key=KEY)
        stores = open_stores(settings)
        migrate(stores)
        for number in (1, 2):
            make_release(stores, number, key=KEY)
        published = open_published(settings)
        (programme,) = published.programmes()
        numbers = numbers_of(programme, published.releases(programme.id), published.numbers(programme.id))
        out.write_bytes(FORMATS[kind](report_of(numbers, organisation="Example", language="de")))
        stores.dispose()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
