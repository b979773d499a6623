"""The verbs before a start: power by its formula, draws that anybody can repeat, and their analysis by design."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

import rapport
from data.errors import RapportError
from pipeline.business_case.allocation import allocate
from pipeline.claim import BY_DESIGN

Run = Callable[..., str]
GRADES = ("G1", "G2")
QUOTE = "'"


@pytest.fixture
def run() -> Run:
    """Runs a verb; what it prints, or its RapportError."""

    def invoke(*words: object, exit_code: int = 0) -> str:
        ended = CliRunner().invoke(rapport.app, ["design", *map(str, words)], catch_exceptions=False)
        assert ended.exit_code == exit_code, ended.output
        return ended.stdout

    return invoke


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A hundred people in two grades; the first ids look like formulas."""
    path = tmp_path / "people.csv"
    ids = ["=1+1", "-2", "'quoted", *(f"E{number:03d}" for number in range(97))]
    lines = [f'"{id_}",{GRADES[number % 2]},x' for number, id_ in enumerate(ids)]
    path.write_text("\n".join(["person_id,grade,other", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def drawn(run: Run, people: Path, tmp_path: Path) -> tuple[Path, Path]:
    out = tmp_path / "drawn.csv"
    run("allocate", people, "--places", 40, "--strata", "grade", "--seed", "2026-03-02 lottery", "--out", out)
    return out, tmp_path / "drawn.log.json"


def table_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- power ---------------------------------------------------------------------------------------


def test_the_smallest_rate_is_the_one_that_is_told_in_four_of_five(run: Run) -> None:
    """By the normal formula itself: at the rate printed, the interval excludes zero with a chance of 80 %."""
    found = json.loads(run("power", "--mentees", 400, "--comparisons", 900, "--base-rate", 0.12, "--json"))
    assert [(row["mentees"], row["cohorts"]) for row in found["table"]] == [
        (size, number) for size in (400, 800, 1600) for number in (1, 2, 3, 5)
    ]
    for row in found["table"]:
        low, base = row["smallest_rate"], 0.12
        n = row["people"]
        se = np.sqrt(low * (1 - low) / n + base * (1 - base) / (n * 900 / 400))
        assert stats.norm.cdf((base - low) / se - 1.959964) == pytest.approx(0.8, abs=1e-4)
    assert found["table"][0]["smallest_rate"] == pytest.approx(found["smallest_rate"])
    assert found["takes"] is None


def test_it_says_in_a_sentence_what_one_cohort_can_show_and_what_more_would_take(run: Run) -> None:
    said = run("power", "--mentees", 80, "--base-rate", 0.12, "--rate", 0.096)
    found = json.loads(run("power", "--mentees", 80, "--base-rate", 0.12, "--rate", 0.096, "--json"))
    rate, takes = 100 * found["smallest_rate"], found["takes"]
    assert f"One cohort of 80 mentees and 80 others shows a fall from 12.0 % to {rate:.1f} % or lower." in said
    assert (
        f"A change to 9.6 % would be told with a chance of {100 * found['chance']:.1f} %; for four in five it " in said
    )
    assert f"takes {takes['cohorts']} cohorts and {takes['months']} months." in said
    assert said.splitlines()[1].split()[:3] == ["mentees", "a", "cohort"]
    tiny = run("power", "--mentees", 5, "--base-rate", 0.12, "--cohorts", "1")
    assert "could not show it even if nobody left" in tiny
    assert "not even 0 %" in tiny
    assert "nan" not in tiny


def test_enough_cohorts_are_enough_and_one_fewer_is_not(run: Run) -> None:
    found = json.loads(run("power", "--mentees", 300, "--base-rate", 0.2, "--rate", 0.15, "--json"))
    cohorts = found["takes"]["cohorts"]

    def chance(number: int) -> float:
        return float(
            json.loads(run("power", "--mentees", 300 * number, "--base-rate", 0.2, "--rate", 0.15, "--json"))["chance"]
        )

    assert chance(cohorts) >= 0.8 > chance(cohorts - 1)
    assert found["takes"]["months"] == 12 * cohorts


def test_the_plot_is_one_file_and_the_same_each_time(run: Run, tmp_path: Path) -> None:
    words = ("power", "--mentees", 80, "--base-rate", 0.12)
    plain = run(*words)
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    assert run(*words, "--plot", first) == run(*words, "--plot", second) == plain
    assert first.read_bytes() == second.read_bytes()
    assert "Cohorts" in first.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--mentees", 80, "--base-rate", 1.2), "Expected rates between 0 and 1"),
        (("--mentees", 80, "--base-rate", 0), "Expected rates between 0 and 1"),
        (("--mentees", 80, "--base-rate", "nan"), "Expected rates between 0 and 1"),
        (("--mentees", 80, "--base-rate", 0.1, "--rate", 0.1), "another rate than"),
        (("--mentees", 80, "--base-rate", 0.1, "--cohorts", "1;2"), "--cohorts expects numbers"),
        (("--mentees", 80, "--base-rate", 0.1, "--cohorts", "0"), "at least one mentee"),
    ],
)
def test_power_of_nonsense_is_one_sentence(run: Run, words: tuple[object, ...], sentence: str) -> None:
    with pytest.raises(RapportError, match=sentence):
        run("power", *words)


# --- allocate and check --------------------------------------------------------------------------


def test_the_files_hold_the_draw_and_all_that_is_needed_to_repeat_it(drawn: tuple[Path, Path], people: Path) -> None:
    out, log = drawn
    rows = table_of(out)
    assert len(rows) == 100
    assert {(row["arm"], row["step"]) for row in rows} == {("place", "1"), ("no place", "0")}
    assert [sum(row["arm"] == "place" and row["stratum"] == grade for row in rows) for grade in GRADES] == [20, 20]
    listed = [{"person": row["person_id"].removeprefix(QUOTE), "grade": row["stratum"]} for row in rows]
    again = allocate(pd.DataFrame(listed), places=40, strata=["grade"], seed="2026-03-02 lottery")
    written = json.loads(log.read_text("utf-8"))
    assert written.pop("drawn_at")[:2] == "20"
    assert written == again.log
    assert [row["arm"] for row in rows] == again.table["arm"].tolist()
    assert not any(cell[:1] in ("=", "+", "-", "@") for row in rows for cell in row.values())
    assert (out.stat().st_mode & 0o077, log.stat().st_mode & 0o077) == (0, 0)


def test_a_draw_that_is_what_it_says_passes_and_one_that_was_touched_does_not(
    run: Run, drawn: tuple[Path, Path], people: Path
) -> None:
    out, log = drawn
    assert run("check", out, log, people) == "drawn.csv is what the draw gives.\n"
    whole = out.read_text("utf-8")
    swapped = whole.replace(",place,1", ",swap", 1).replace(",no place,0", ",place,1", 1)
    out.write_text(swapped.replace(",swap", ",no place,0"))
    assert "2 people are not where the draw put them." in run("check", out, log, people, exit_code=1)
    out.write_text(whole)
    people.write_text(people.read_text("utf-8").replace('"E096",G1', '"E096",G2').replace('"E096",G2', '"E096",G1x'))
    assert "not those of the draw" in run("check", out, log, people, exit_code=1)


def test_a_draw_is_never_written_over_another(run: Run, drawn: tuple[Path, Path], people: Path) -> None:
    before = drawn[0].read_bytes()
    with pytest.raises(RapportError, match="a draw is made once"):
        run("allocate", people, "--places", 40, "--seed", 2, "--out", drawn[0])
    assert drawn[0].read_bytes() == before


@pytest.mark.parametrize(
    ("method", "arms"), [("wait-list", {"place", "waits"}), ("stepped-wedge", {"step 1", "step 2", "step 3"})]
)
def test_every_method_can_be_drawn_and_checked(
    run: Run, people: Path, tmp_path: Path, method: str, arms: set[str]
) -> None:
    out = tmp_path / "out.csv"
    steps = ("--steps", 3) if method == "stepped-wedge" else ()
    run("allocate", people, "--places", 40, "--method", method, "--seed", 5, "--out", out, *steps)
    assert {row["arm"] for row in table_of(out)} == arms
    assert "is what the draw gives" in run("check", out, tmp_path / "out.log.json", people)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("person,grade\nada,G1\n", "has no column person_id"),
        ("person_id,grade\nada,G1\n,G2\n", "Row 3 of people.csv has no person_id"),
        ("person_id,grade\nada,\nben,G2\n", "Row 2 of people.csv has no grade"),
        ("person_id,grade\nada,G1\nben,G2,more\n", "Row 3 of people.csv cannot be read: too many cells"),
        ("person_id,person_id\nada,G1\n", "twice"),
        ("person_id,grade\nada,G1\nada,G2\ncleo,G1\n", "Expected each person once"),
        ("person_id,grade\nada,G1\n", "two people"),
    ],
)
def test_a_list_is_read_strictly(run: Run, people: Path, tmp_path: Path, text: str, sentence: str) -> None:
    people.write_text(text, encoding="utf-8")
    with pytest.raises(RapportError, match=sentence) as refused:
        run("allocate", people, "--places", 1, "--strata", "grade", "--seed", 1, "--out", tmp_path / "out.csv")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out.csv").exists()


def test_a_method_or_number_of_places_that_makes_no_draw_is_refused(run: Run, people: Path, tmp_path: Path) -> None:
    for words, sentence in (
        (("--places", 40, "--method", "raffle"), "no way to allocate"),
        (("--places", 100), "nothing to draw"),
        (("--places", 10, "--method", "stepped-wedge", "--steps", 2), "do not fit"),
    ):
        with pytest.raises(RapportError, match=sentence):
            run("allocate", people, *words, "--seed", 1, "--out", tmp_path / "out.csv")


@pytest.mark.parametrize("log", ["", "[]", "{}", '{"method": 1}', "[" * 100_000])
def test_a_log_that_is_none_is_refused(run: Run, drawn: tuple[Path, Path], people: Path, log: str) -> None:
    drawn[1].write_text(log)
    with pytest.raises(RapportError, match=r"drawn.log.json is no log of an allocation"):
        run("check", *drawn, people)


def test_a_log_of_another_draw_is_refused(run: Run, drawn: tuple[Path, Path], people: Path) -> None:
    log = json.loads(drawn[1].read_text())
    drawn[1].write_text(json.dumps({**log, "people": 99}))
    with pytest.raises(RapportError, match="log of 99 people, drawn.csv holds 100"):
        run("check", *drawn, people)
    drawn[1].write_text(json.dumps({**log, "method": "raffle"}))
    with pytest.raises(RapportError, match="names the method 'raffle'"):
        run("check", *drawn, people)


# --- analyse -------------------------------------------------------------------------------------


def outcomes(drawn: tuple[Path, Path], path: Path, unknown: int = 0) -> tuple[Path, list[tuple[str, str, float]]]:
    """Who left, by a rule that a person can follow: every third with a place, every second without."""
    rows = table_of(drawn[0])
    left = [
        (row["stratum"], row["arm"], float(number % (3 if row["arm"] == "place" else 2) == 0))
        for number, row in enumerate(rows)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["person_id", "left"])
        for number, (row, (_, _, value)) in enumerate(zip(rows, left, strict=True)):
            writer.writerow([row["person_id"].removeprefix(QUOTE), "" if number < unknown else int(value)])
    return path, left


def test_the_analysis_is_neymans_within_strata_and_causal_by_design(
    run: Run, drawn: tuple[Path, Path], tmp_path: Path
) -> None:
    """By hand: both grades hold 20 of 50 with a place, so each weighs a half."""
    path, left = outcomes(drawn, tmp_path / "outcomes.csv")
    found = json.loads(run("analyse", *drawn, path, "--json"))
    means, variances = [], []
    for grade in GRADES:
        sides = [
            np.array([value for stratum, arm, value in left if (stratum, arm) == (grade, side)])
            for side in ("place", "no place")
        ]
        assert [len(side) for side in sides] == [20, 30]
        means.append(sides[0].mean() - sides[1].mean())
        variances.append(sum(side.var(ddof=1) / len(side) for side in sides))
    assert found["estimate"] == pytest.approx(np.mean(means), abs=1e-12)
    assert found["se"] == pytest.approx(np.sqrt(sum(variances)) / 2, abs=1e-12)
    assert (found["claim"], found["n"], found["reason"]) == (BY_DESIGN, 100, "")
    said = run("analyse", *drawn, path)
    assert f"Difference {found['estimate']:+.3f}" in said
    assert said.rstrip().endswith("0% of outcomes unknown; causal by design.")


def test_outcomes_that_are_not_known_of_many_take_the_claim_away(
    run: Run, drawn: tuple[Path, Path], tmp_path: Path
) -> None:
    path, _ = outcomes(drawn, tmp_path / "outcomes.csv", unknown=6)
    assert json.loads(run("analyse", *drawn, path, "--json"))["claim"] != BY_DESIGN
    path, _ = outcomes(drawn, tmp_path / "outcomes.csv", unknown=5)
    assert json.loads(run("analyse", *drawn, path, "--json"))["claim"] == BY_DESIGN


def test_a_stepped_wedge_is_analysed_within_its_periods(run: Run, people: Path, tmp_path: Path) -> None:
    out, path = tmp_path / "out.csv", tmp_path / "outcomes.csv"
    run("allocate", people, "--places", 50, "--method", "stepped-wedge", "--steps", 2, "--seed", 5, "--out", out)
    rows = table_of(out)
    lines = [
        f'"{row["person_id"].removeprefix(QUOTE)}",{period},{10 * period + 3 * (int(row["step"]) <= period) + n % 2}'
        for n, row in enumerate(rows)
        for period in (1, 2)
    ]
    path.write_text("\n".join(["person_id,period,score", *lines]), encoding="utf-8")
    found = json.loads(run("analyse", out, tmp_path / "out.log.json", path, "--outcome", "score", "--json"))
    assert found["estimate"] == pytest.approx(3, abs=0.5)  # the rise of ten for all is not the places' doing
    assert found["claim"] == BY_DESIGN
    path.write_text(path.read_text().replace(",1,1", ",one,1", 1))
    with pytest.raises(RapportError, match="'one' is no step or period"):
        run("analyse", out, tmp_path / "out.log.json", path, "--outcome", "score")


def test_an_outcome_that_is_no_number_or_no_column_is_refused(
    run: Run, drawn: tuple[Path, Path], tmp_path: Path
) -> None:
    path, _ = outcomes(drawn, tmp_path / "outcomes.csv")
    with pytest.raises(RapportError, match="has no column quit"):
        run("analyse", *drawn, path, "--outcome", "quit")
    for bad in ("yes", "nan", "inf"):
        path.write_text(f"person_id,left\nE001,{bad}\n", encoding="utf-8")
        with pytest.raises(RapportError, match=f"holds '{bad}'"):
            run("analyse", *drawn, path)


def test_what_cannot_be_told_is_said(run: Run, drawn: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "outcomes.csv"
    path.write_text("person_id,left\nE001,1\n", encoding="utf-8")
    assert run("analyse", *drawn, path).startswith("Cannot tell: ")
    assert json.loads(run("analyse", *drawn, path, "--json"))["estimate"] is None


def test_the_command_line_starts_without_what_draws(run: Run) -> None:
    import subprocess

    code = "import rapport, sys; sys.exit(any(m in sys.modules for m in ('matplotlib', 'pandas', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
