"""Who only reads releases loads no estimator: it would cost every start a second and 60 MB."""

import subprocess
import sys

import pytest

HEAVY = ("scipy", "statsmodels", "pingouin", "sklearn", "pipeline.disclosure.gate", "pipeline.ingest")
OF_REPORTS = ("matplotlib", "pptx", "xlsxwriter", "typst")


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("pipeline.published", (*HEAVY, *OF_REPORTS)),
        ("dashboard.app", (*HEAVY, "pptx", "xlsxwriter")),
        ("dashboard.reports.write", (*HEAVY, "pptx", "xlsxwriter")),
    ],
)
def test_what_reads_releases_starts_light(module: str, unwanted: tuple[str, ...]) -> None:
    asked = f"import sys, {module}; print([each for each in {unwanted!r} if each in sys.modules])"
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
