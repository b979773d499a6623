"""This room's README carries the catalogue as it is."""

from pathlib import Path

import pipeline
from pipeline.catalogue_table import metrics_table

README = Path(pipeline.__file__).parent / "README.md"
START, END = "<!-- generated:metrics -->", "<!-- /generated -->"


def test_the_table_of_metrics_is_current() -> None:
    _, _, rest = README.read_text(encoding="utf-8").partition(START)
    table, found, _ = rest.partition(END)
    assert found == END
    assert table.strip() == metrics_table()
