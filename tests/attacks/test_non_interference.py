"""One person's answers change nothing that another role can fetch, but for released values; seeded leaks are caught."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from data import tables
from data.store.engine import reading
from pipeline.ingest import Inputs
from tests.attacks import artefacts, whole_flips
from tests.attacks.installation import Installation, made
from tests.attacks.non_interference import Build, Plan, Verdicts, compare, differences, inputs_of, release_of
from tests.attacks.whole_flips import ADMINISTRATORS, World, after, compared

pytestmark = pytest.mark.xdist_group("flips")  # they compare with the same worlds
SHORT = (Plan(12, 1, ("department",)), Plan(24, 3, has_goals=True), Plan(26, 1, ("department", "location")))


# --- releases ----------------------------------------------------------------------------------------


def test_a_flip_changes_nothing_of_a_release_but_released_values() -> None:
    found = compare(SHORT, 6, seed=4)
    assert sum(found.flips.values()) == 6
    assert found.moved >= 3  # the worlds that were compared are not the same
    assert found.differing == {}


def test_one_who_differs_among_the_unanimous_is_not_told_by_a_word() -> None:
    """Everybody is at the top, so every number is withheld; the verdicts may not tell that one person is not."""
    inputs = inputs_of(Plan(26, 2))
    is_trust = inputs.answers["question_id"].isin(["honest", "reliable"])
    alike = inputs.answers["value"].mask(is_trust, "5")
    one = inputs.answers[is_trust & (inputs.answers["side"] == "mentee")].index[-1]
    but_one = alike.mask(alike.index == one, "4")
    contents = [release_of(replace(inputs, answers=inputs.answers.assign(value=each))) for each in (alike, but_one)]
    met = Verdicts()
    assert differences(*contents) == []
    assert [*met.meet(contents[0]), *met.meet(contents[1])] == []
    rows = json.loads(contents[0])["rows"]
    assert not any(row["shown"] for row in rows if row["metric"] == "trust" and row["side"] == "mentee")


@pytest.fixture(scope="module")
def worlds() -> tuple[Inputs, Inputs, str, str]:
    """A small programme, the same with one person low instead of high, and both releases."""
    inputs = inputs_of(SHORT[0])
    person = inputs.answers["person_id"].iloc[0]
    low = inputs.answers["value"].where(inputs.answers["person_id"] != person, "1")
    high = inputs.answers["value"].where(inputs.answers["person_id"] != person, "5")
    sides = tuple(replace(inputs, answers=inputs.answers.assign(value=value)) for value in (low, high))
    return (*sides, *(release_of(each) for each in sides))


def seeded(change: Callable[[dict[str, object], int], None]) -> Build:
    """A release with a leak of how many answers are the lowest, out of the inputs."""

    def make(inputs: Inputs, content: str) -> str:
        whole = json.loads(content)
        change(whole, int((inputs.answers["value"] == "1").sum()))
        return json.dumps(whole)

    return make  # type: ignore[return-value]


def an_unstepped_count(whole, n_low):
    whole["manifest"]["n_low"] = n_low


def an_order_by_a_hidden_value(whole, n_low):
    if n_low % 2:
        whole["rows"][0], whole["rows"][1] = whole["rows"][1], whole["rows"][0]


def a_reason_that_tells(whole, n_low):
    next(row for row in whole["rows"] if not row["shown"])["reason"] = f"because of {n_low}"


def a_withheld_number(whole, n_low):
    next(row for row in whole["rows"] if not row["shown"])["value"] = float(n_low)


def a_claim_that_tells(whole, n_low):
    whole["rows"][0]["claim"] = "describes" if n_low % 2 else "describes well"


def a_row_more(whole, n_low):
    if n_low % 2:
        whole["rows"].append({**whole["rows"][-1], "side": "mentor", "metric": "zeal"})


def an_unstepped_n(whole, n_low):
    next(row for row in whole["rows"] if row["shown"])["n"] = 7


def cells_set_aside(whole, n_low):
    whole["manifest"]["quarantined"] = {"out of scale": n_low}


def a_new_kind_of_verdict(whole, n_low):
    whole["manifest"]["verdicts"].append({"about": "mood", "construct": "", "side": "both", "verdict": "low"})


def a_verdict_in_its_own_words(whole, n_low):
    whole["manifest"]["verdicts"][0]["verdict"] = f"{n_low} of them are low"


@pytest.mark.parametrize(
    "leak",
    [
        an_unstepped_count, an_order_by_a_hidden_value, a_reason_that_tells, a_withheld_number, a_claim_that_tells,
        a_row_more, an_unstepped_n, cells_set_aside, a_new_kind_of_verdict, a_verdict_in_its_own_words,
    ],
)  # fmt: skip
def test_a_seeded_leak_in_a_release_is_caught(worlds, leak) -> None:
    low, high, of_low, of_high = worlds
    assert differences(of_low, of_high) == []
    leaky = [seeded(leak)(inputs, content) for inputs, content in ((low, of_low), (high, of_high))]
    assert (low.answers["value"] == "1").sum() % 2 != (high.answers["value"] == "1").sum() % 2
    assert differences(*leaky) != []


def test_a_verdict_that_knows_more_than_its_rows_is_caught(worlds) -> None:
    """No number of change is released after one round, so its word may not depend on an answer."""
    low, high, of_low, of_high = worlds

    def a_word_of_one(whole, n_low):
        changed = next(each for each in whole["manifest"]["verdicts"] if each["about"] == "changed")
        changed["verdict"] = "some_changed" if n_low % 2 else "too_early"

    honest, leaky = Verdicts(), Verdicts()
    assert [*honest.meet(of_low), *honest.meet(of_high)] == []
    strays = [
        stray for each, of in ((low, of_low), (high, of_high)) for stray in leaky.meet(seeded(a_word_of_one)(each, of))
    ]
    assert len(strays) == 1
    assert "changed" in strays[0]


# --- the whole installation --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def as_it_was(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, Installation, World]]:
    folder = tmp_path_factory.mktemp("flips")
    base = made(folder / "base")
    one = base.copy(folder / "as-it-was")
    yield base, one, after(one, None)
    one.stores.dispose()


def flipped(base: Installation, seen: World, home: Path, *flips: whole_flips.Flip) -> tuple[Installation, World]:
    two = base.copy(home)
    return two, after(two, lambda connection: [flip(connection) for flip in flips] and None, seen)


def low_answers(of: Installation) -> int:
    with reading(of.stores.raw) as connection:
        low = select(func.count()).where(tables.answers.c.value == "1")
        return int(connection.execute(low).scalar_one())


def a_log_line(of: Installation) -> artefacts.Artefacts:
    with artefacts.logged() as log:
        logging.getLogger("rapport.pipeline").debug("%d low answers", low_answers(of))
    return {"log/pipeline": log.getvalue()}


def a_mail_to_the_other(of: Installation) -> artefacts.Artefacts:
    return {"mail to ada/thanks": "Ben could use a word" if low_answers(of) else "Ben is well"}


def a_page_in_an_order(of: Installation) -> artefacts.Artefacts:
    return {"hr of mentoring/page /pairings": str(sorted(["P0", "P1"], reverse=low_answers(of) > 0))}


def a_comment_counted(of: Installation) -> artefacts.Artefacts:
    with reading(of.stores.raw) as connection:
        longest = select(func.max(func.length(tables.responses.c.comment)))
        return {"hr of mentoring/page /comments": f"up to {connection.execute(longest).scalar_one()} letters"}


def test_other_answers_and_comments_change_nothing_that_others_fetch(as_it_was, tmp_path: Path) -> None:
    base, one, seen = as_it_was
    two, other = flipped(base, seen, tmp_path / "other", whole_flips.other_answers, whole_flips.other_comments)
    assert seen.releases != other.releases  # something did change
    assert seen.batches != other.batches
    assert len(seen.found) > 200
    homes = (one.home, two.home)
    assert compared(seen, other, homes) == []
    for leak in (a_log_line, a_mail_to_the_other, a_page_in_an_order, a_comment_counted):
        leaky = [
            World({**world.found, **leak(of)}, world.releases, world.batches)
            for world, of in ((seen, one), (other, two))
        ]
        assert compared(*leaky, homes) == [*leak(one)], leak.__name__
    two.stores.dispose()


def test_silence_and_a_tick_less_change_nothing_that_others_fetch(as_it_was, tmp_path: Path) -> None:
    base, one, seen = as_it_was
    two, other = flipped(base, seen, tmp_path / "other", whole_flips.other_ticks, whole_flips.silence)
    assert seen.releases != other.releases
    assert compared(seen, other, (one.home, two.home), ADMINISTRATORS) == []
    reminders = [name for name in other.found if name.startswith("mail to benqzx/") and "reminder" in name]
    assert reminders  # Ben himself is reminded
    two.stores.dispose()
