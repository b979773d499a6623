"""Draws what a programme of a size can show, by cohorts, as an SVG."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure


def drawn(found: Mapping[str, Any]) -> bytes:
    """The table as an SVG: the highest rate that would be told, by cohorts, one line a size. Same in, same bytes."""
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    for size, line in found["table"].groupby("mentees"):
        axes.plot(line["cohorts"], 100 * line["smallest_rate"], marker="o", label=f"{size} mentees a cohort")
    axes.axhline(100 * found["base_rate"], color="0.4", linestyle="--", label="without mentoring")
    axes.set(xlabel="Cohorts", ylabel="Exits a year that would be told, %", ylim=(0, None))
    axes.set_xticks(sorted(set(found["table"]["cohorts"])))
    axes.legend(frameon=False)
    written = BytesIO()
    with rc_context({"svg.hashsalt": "rapport", "svg.fonttype": "none"}):
        figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()
