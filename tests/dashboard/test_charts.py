"""Charts say the same on screen and on paper, and nothing but what is shown."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.chart import Chart, axis_ends
from dashboard.charts import paper, screen
from dashboard.findings import Numbers, direction, numbers_of, profile
from dashboard.panels import by_group, constructs, trend
from dashboard.story import change_in_words, verdict
from dashboard.theme import SERIES
from dashboard.words import Words
from pipeline.published import WITHHELD, catalogue
from tests.dashboard.conftest import Made

EN, DE = Words("en"), Words("de")


@pytest.fixture
def numbers(made: Made) -> Numbers:
    programme = next(each for each in made.published.programmes() if each.id == "mentoring")
    return numbers_of(programme, made.published.releases("mentoring"), made.published.numbers("mentoring"))


def charts(numbers: Numbers) -> list[Chart]:
    metrics = catalogue()
    panels = [trend(numbers, metrics["trust"], EN), by_group(numbers, metrics["participation"], "department", EN)]
    panels += [
        constructs(numbers, EN),
        trend(numbers, metrics["network"], EN),
        trend(numbers, metrics["perception_gap"], EN),
    ]
    return [panel.chart for panel in panels if panel.chart is not None]


def on_screen(chart: Chart) -> set[tuple[str, float, float, float]]:
    """Side, value, low and high of every mark that Plotly is given."""
    values, intervals = ("y", "error_y") if chart.form == "trend" else ("x", "error_x")
    found = set()
    for trace in screen.figure(chart)["data"]:
        if intervals in trace:
            error = trace[intervals]
            for value, up, down in zip(trace[values], error["array"], error["arrayminus"], strict=True):
                if value is not None:
                    found.add((trace["uid"], value, round(value - down, 6), round(value + up, 6)))
    return found


def on_paper(chart: Chart) -> dict[str, list[tuple[float, float]]]:
    """By colour, where the drawing's intervals begin and end on the axis of values, back in the chart's unit."""
    drawing = paper.svg(chart)
    vertical = chart.form == "trend"
    grid = re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"', drawing)
    assert grid
    found: dict[str, list[tuple[float, float]]] = {}
    for group in re.findall(r'<g id="[^"]*LineCollection_\d+">(.*?)</g>', drawing, re.DOTALL):
        for line, colour in re.findall(r'<path d="([^"]+)"[^>]*style="[^"]*stroke: (#\w+)', group):
            (x0, y0), (x1, y1) = re.findall(r"[ML] ([\d.]+) ([\d.]+)", line)
            ends = (float(y0), float(y1)) if vertical else (float(x0), float(x1))
            found.setdefault(colour, []).append(ends)
    return found


def test_screen_and_paper_carry_the_same_numbers(numbers: Numbers) -> None:
    for chart in charts(numbers):
        said = {
            (series.side, mark.value, round(mark.low, 6), round(mark.high, 6))
            for series in chart.series
            for mark in series.marks
        }
        assert on_screen(chart) == said
        drawn = on_paper(chart)
        for series in chart.series:
            lengths = [abs(end - start) for start, end in drawn[SERIES[series.side].light]]
            widths = [mark.high - mark.low for mark in series.marks]
            assert len(lengths) == len(widths)
            scales = [length / width for length, width in zip(lengths, widths, strict=True)]
            assert max(scales) == pytest.approx(min(scales), rel=1e-3)


def test_paper_is_the_same_every_time_and_its_ids_are_its_own(numbers: Numbers) -> None:
    first, second, *_ = charts(numbers)
    assert paper.svg(first) == paper.svg(first)
    ids = [set(re.findall(r'\bid="([^"]+)"', paper.svg(chart))) for chart in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert "<metadata" not in paper.svg(first)


def test_a_line_joins_neighbouring_rounds_only(numbers: Numbers) -> None:
    chart = trend(numbers, catalogue()["network"], EN).chart
    assert chart is not None
    assert [mark.at for mark in chart.series[0].marks] == [0, 3]
    line = screen.figure(chart)["data"][0]
    assert [None if x is None else round(x) for x in line["x"]] == [0, None, 3]


def test_titles_say_the_finding(numbers: Numbers) -> None:
    metrics = catalogue()
    titles = {name: trend(numbers, metrics[name], EN).table.caption for name in ("trust", "satisfaction")}
    assert titles == {
        "trust": "Trust is clearly higher than in round 1",
        "satisfaction": "No clear change in satisfaction since round 1",
    }
    first = numbers.until("mentoring-1")
    assert first is not None
    assert trend(first, metrics["trust"], EN).table.caption.startswith("Trust in Round 1: Mentors ")
    assert change_in_words(first, "trust", EN) == "Asked for the first time in this round."
    assert change_in_words(numbers, "network", EN) == "Not asked in this round; last asked in round 4."


def test_clear_means_that_intervals_do_not_overlap(numbers: Numbers) -> None:
    (before, *_, now) = numbers.over_rounds("trust", "both")
    assert direction(before, now) == "higher"
    assert direction(now, before) == "lower"
    touching = replace(now, low=before.high)
    assert direction(before, touching) == "none"


def test_the_verdict_leads_with_where_the_scores_stand(numbers: Numbers) -> None:
    stands = "Trust, satisfaction and goal progress lie clearly on the positive side: above 50 of 100."
    assert verdict(numbers, EN)[0] == stands
    took_part = "76% of the people asked took part: 79% of the mentors, 73% of the mentees."
    assert verdict(numbers, EN)[-1] == took_part
    assert verdict(numbers, DE)[-1].startswith("76\u00a0% der Gefragten haben teilgenommen: 79\u00a0% auf")


def test_strongest_stands_first(numbers: Numbers) -> None:
    ranked = profile(numbers)
    assert [each.numbers[0] for each in ranked] == sorted((each.numbers[0] for each in ranked), reverse=True)
    assert "participation" not in {each.metric for each in ranked}


def test_withheld_rows_stand_in_the_table_as_one_sentence(numbers: Numbers) -> None:
    panel = by_group(numbers, catalogue()["trust"], "location", EN)
    sentences = {row.heading[0]: row.sentence for row in panel.table.rows}
    assert sentences == {"Berlin": "", "Leeds": WITHHELD}
    assert panel.chart is not None
    assert panel.chart.ticks == ("Berlin",)


def test_where_all_is_withheld_there_is_no_chart(numbers: Numbers) -> None:
    hidden = numbers.rows.assign(shown=False, value=None, low=None, high=None, n=None)
    nothing = replace(numbers, rows=hidden)
    assert trend(nothing, catalogue()["trust"], EN).chart is None
    assert constructs(nothing, EN).chart is None
    assert verdict(nothing, EN) == [EN("verdict_none")]


@pytest.mark.parametrize(
    ("lowest", "highest", "ends"), [(61, 68, (40, 90)), (2, 99, (0, 100)), (96, 100, (60, 100)), (0, 1, (0, 40))]
)
def test_axes_hold_every_interval(lowest: float, highest: float, ends: tuple[float, float]) -> None:
    assert axis_ends(lowest, highest, (0.0, 100.0), 10.0) == ends


def test_both_sides_keep_their_colour_in_the_style_sheet() -> None:
    css = (Path(screen.__file__).parents[1] / "assets" / "dashboard.css").read_text(encoding="utf-8")
    for side, look in SERIES.items():
        assert f"--{side}: {look.light};" in css
        assert f"--{side}: {look.dark};" in css
