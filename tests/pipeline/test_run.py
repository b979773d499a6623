"""From stored answers to a frozen release: in order, once, sealed, and the same when rebuilt."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from sqlalchemy import delete, select, update

from data.errors import RapportError
from data.store.batches import start_batch
from data.store.engine import Stores, reading, writing
from data.store.releases import read_release, releases_of
from data.tables import answers, batches, invitations, responses
from pipeline.disclosure.crowd import WITHHELD
from pipeline.ingest import ingest
from pipeline.published import published
from pipeline.release import verify
from pipeline.run import build, run_due, run_round, verify_release
from tests.pipeline.stored import KEY, NOW, ask, make_programme, someone


@pytest.fixture
def programme(sqlite_stores: Stores) -> Stores:
    make_programme(sqlite_stores)
    return sqlite_stores


def run(stores: Stores, number: int, programme_id: str = "P") -> str:
    made = run_round(stores, programme_id=programme_id, round_id=f"{programme_id}-R{number}", key=KEY, now=NOW)
    return made.content


def numbers(content: str, **wanted: str) -> list[dict[str, object]]:
    rows = json.loads(content)["rows"]
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def test_stored_answers_become_rows_with_n_interval_unit_and_claim(stores: Stores) -> None:
    make_programme(stores)
    ask(stores, 1, pulse="kickoff")
    content = run(stores, 1)
    trust = {row["side"]: row for row in numbers(content, metric="trust", view="all")}
    said = [someone(k, "mentee", 1, id_) for k in range(48) for id_ in ("honest", "reliable")]
    naive = pd.Series([25 * (int(value) - 1) for value in said if value is not None]).mean()
    assert trust["mentee"]["value"] == pytest.approx(naive, abs=2)
    assert trust["mentee"]["low"] < trust["mentee"]["value"] < trust["mentee"]["high"]
    about = {name: trust["mentee"][name] for name in ("n", "unit", "claim", "shown", "reason", "group", "round")}
    assert about == {
        "n": 40, "unit": "points", "claim": "describes", "shown": True, "reason": "", "group": "all", "round": "P-R1",
    }  # fmt: skip
    assert set(trust) == {"mentor", "mentee", "both"}
    assert {row["metric"] for row in numbers(content)} == {
        "trust", "satisfaction", "goal_progress", "expectations", "expectation_alignment", "mutual_learning",
        "bidirectionality", "perception_gap", "participation", "staying", "flow_invited", "flow_answered",
        "flow_pairings_started", "flow_pairings_active", "flow_pairings_ended", "ceiling_share",
        "straight_lining", "smallest_gap", "gap_agreement", "actor_effect", "partner_effect", "weighted_trust",
        "weighted_satisfaction", "weighted_goal_progress", "tipping_trust", "tipping_satisfaction",
        "tipping_goal_progress",
    }  # fmt: skip


def test_only_what_this_pulse_asks_has_rows_and_staying_never_has_groups(programme: Stores) -> None:
    ask(programme, 1, pulse="kickoff")
    ask(programme, 2, said=lambda *told: None if told[3] == "future" else someone(*told))
    first, second = run(programme, 1), run(programme, 2)
    assert {row["view"] for row in numbers(first, metric="staying")} == {"all"}
    assert numbers(second, metric="staying") == []


def test_participation_and_flow_are_counted_in_steps_of_five(programme: Stores) -> None:
    """48 mentees (45), 40 mentors; the ones that answer are 41 (40) and 33 (30)."""

    def said(k: int, side: str, number: int, question_id: str) -> str | None:
        return "34"[k // 4 % 2] if k < (41 if side == "mentee" else 39) else None

    ask(programme, 1, said=said)
    content = run(programme, 1)
    flows = {(row["metric"], row["side"]): row["value"] for row in numbers(content, claim="describes", unit="people")}
    assert flows == {
        ("flow_invited", "mentor"): 40, ("flow_invited", "mentee"): 45, ("flow_invited", "both"): 85,
        ("flow_answered", "mentor"): 30, ("flow_answered", "mentee"): 40, ("flow_answered", "both"): 70,
    }  # fmt: skip
    shares = {row["side"]: (row["value"], row["n"]) for row in numbers(content, metric="participation", view="all")}
    assert shares == {"mentor": (0.8, 40), "mentee": (0.92, 45), "both": (0.86, 85)}  # 30–34 of 40, 42 of 48
    pairings = {row["metric"]: row["value"] for row in numbers(content, unit="pairings")}
    assert pairings == {"flow_pairings_started": 45, "flow_pairings_active": 45, "flow_pairings_ended": 0}


def test_a_second_run_changes_nothing_and_a_changed_store_is_refused(programme: Stores) -> None:
    ask(programme, 1)
    first = run(programme, 1)
    assert run(programme, 1) == first
    with writing(programme.raw) as connection:
        connection.execute(update(answers).where(answers.c.question_id == "honest").values(value="5"))
    with pytest.raises(RapportError, match="releases are frozen"):
        run(programme, 1)
    with reading(programme.published) as connection:
        assert [each.content for each in releases_of(connection)] == [first]


def test_rounds_run_in_order_and_only_once_closed(programme: Stores) -> None:
    ask(programme, 1)
    ask(programme, 2)
    ask(programme, 3, is_closed=False)
    with pytest.raises(RapportError, match="P-R2 waits for the release of P-R1"):
        run(programme, 2)
    told: list[tuple[int, int, str]] = []
    made = run_due(programme, key=KEY, now=NOW, progress=lambda *step: told.append(step))
    assert [each.round_id for each in made] == ["P-R1", "P-R2"]
    assert told == [(0, 2, "P-R1"), (1, 2, "P-R2"), (2, 2, "P-R2")]
    assert run_due(programme, key=KEY, now=NOW) == []
    with pytest.raises(RapportError, match="still takes answers"):
        run(programme, 3)
    with pytest.raises(RapportError, match="not one of the programme Q"):
        run_round(programme, programme_id="Q", round_id="P-R1", key=KEY, now=NOW)


def test_a_round_behind_an_open_one_waits(programme: Stores) -> None:
    ask(programme, 1, is_closed=False)
    ask(programme, 2)
    assert run_due(programme, key=KEY, now=NOW) == []


def test_another_programme_never_enters(programme: Stores) -> None:
    """Eve's programme answers too; Ada's and Ben's release is byte for byte what it was without her."""
    ask(programme, 1)
    alone = build(ingest(programme.raw, programme_id="P", round_id="P-R1"), key=KEY)
    make_programme(programme, "E", n=30)
    ask(programme, 1, "E", said=lambda *told: "1")
    assert run(programme, 1) == alone
    assert {row["programme"] for row in numbers(run(programme, 1, "E"))} == {"E"}


def test_the_release_is_rebuilt_byte_for_byte(programme: Stores) -> None:
    ask(programme, 1, pulse="kickoff")
    ask(programme, 2)
    made = run_due(programme, key=KEY, now=NOW)
    assert [verify_release(programme, each.release_id, key=KEY) for each in made] == ["identical"] * 2


def test_an_erasure_is_told_apart_from_a_change(programme: Stores) -> None:
    ask(programme, 1)
    release_id = run_due(programme, key=KEY, now=NOW)[0].release_id
    bens = select(responses.c.response_id).where(responses.c.invitation_id == "P-R1:P-7:mentee")
    with writing(programme.raw) as connection:
        erased = connection.execute(delete(answers).where(answers.c.response_id.in_(bens))).rowcount
    assert erased > 0
    assert verify_release(programme, release_id, key=KEY) == f"inputs since erased ({erased}); seal valid"
    assert verify_release(programme, release_id, key="another key" * 5) == "differs"


def test_a_changed_answer_and_a_changed_release_differ(programme: Stores) -> None:
    ask(programme, 1)
    release_id = run_due(programme, key=KEY, now=NOW)[0].release_id
    rebuilt = build(ingest(programme.raw, programme_id="P", round_id="P-R1"), key=KEY)
    with reading(programme.published) as connection:
        kept = read_release(connection, release_id)
    assert verify(replace(kept, content=kept.content.replace("describes", "causes")), rebuilt, KEY) == "differs"
    with writing(programme.raw) as connection:
        connection.execute(update(answers).where(answers.c.question_id == "honest").values(value="1"))
    assert verify_release(programme, release_id, key=KEY) == "differs"


def test_what_a_release_used_cannot_be_undone_and_what_it_did_not_use_can(programme: Stores) -> None:
    ask(programme, 1)
    with writing(programme.raw) as connection:
        used, unused = (
            start_batch(connection, kind="answers", file_name=name, file_sha256=name * 8, now=NOW)
            for name in ("one.csv", "two.csv")
        )
        connection.execute(update(responses).values(batch_id=used))
    release_id = run_due(programme, key=KEY, now=NOW)[0].release_id
    with reading(programme.raw) as connection:
        marks = dict(connection.execute(select(batches.c.batch_id, batches.c.used_by_release)).all())  # type: ignore[arg-type]
    assert marks == {used: release_id, unused: None}


# --- confidentiality ------------------------------------------------------------------------------


def rows_of_groups(content: str) -> pd.DataFrame:
    rows = pd.DataFrame(json.loads(content)["rows"])
    return rows[rows["view"] != "all"]


def test_a_lone_answer_of_bens_cannot_be_found(programme: Stores) -> None:
    """Ben alone in his department says 1 where all others say 4 or 5: his score, 0, must be nowhere."""

    def said(k: int, side: str, number: int, question_id: str) -> str | None:
        return "1" if (k, side) == (7, "mentee") else "45"[k // 4 % 2]

    ask(programme, 1, said=said)
    with writing(programme.raw) as connection:
        connection.execute(
            update(invitations).where(invitations.c.person_id == "P-mentee-7").values(department="tower")
        )
    content = run(programme, 1)
    tower = numbers(content, group="tower")
    assert {row["metric"] for row in tower} >= {"trust", "participation", "perception_gap"}
    assert {(row["shown"], row["value"], row["low"], row["high"], row["n"]) for row in tower} == {
        (False, None, None, None, None)
    }
    groups = rows_of_groups(content)
    mentees = groups[(groups["metric"] == "trust") & (groups["side"] == "mentee")]
    assert sorted(mentees.loc[~mentees["shown"], "group"]) == ["tower", "west"]
    may_be_0 = ("perception_gap", "actor_effect", "partner_effect")
    scores = [row["value"] for row in numbers(content, unit="points") if row["metric"] not in may_be_0]
    assert 0 not in scores
    for trace in ("mentee-7", "P-7", "R1:", "mentor 7"):
        assert trace not in content


def test_a_withheld_row_is_the_same_bytes_whatever_the_cause(sqlite_stores: Stores) -> None:
    """East is silent, too small, unanimous, or only withheld to cover west: nobody can tell which."""

    def only_some(n: int) -> object:
        def said(k: int, side: str, number: int, question_id: str) -> str | None:
            department = k % 4
            if department == 2 and k // 4 >= n:
                return None
            return "235"[k % 3]

        return said

    def unanimous(k: int, side: str, number: int, question_id: str) -> str:
        return "1" if k % 4 == 2 else "235"[k % 3]

    causes = {"S": only_some(0), "T": only_some(3), "U": unanimous}
    seen = {}
    for programme_id, said in causes.items():
        make_programme(sqlite_stores, programme_id)
        ask(sqlite_stores, 1, programme_id, said=said)  # type: ignore[arg-type]
        rows = numbers(run(sqlite_stores, 1, programme_id), group="east", side="mentee", metric="satisfaction")
        ids = ("programme", "release", "round")
        seen[programme_id] = json.dumps([{k: v for k, v in row.items() if k not in ids} for row in rows])
    assert len(set(seen.values())) == 1
    assert json.loads(seen["S"])[0]["reason"] == WITHHELD


def test_a_tiny_programme_has_no_scores_at_all(sqlite_stores: Stores) -> None:
    make_programme(sqlite_stores, n=9)
    ask(sqlite_stores, 1, said=lambda k, *_: "245"[k % 3])
    rows = published_rows(sqlite_stores)
    assert rows.loc[rows["shown"], "metric"].drop_duplicates().tolist() == [
        "flow_answered", "flow_invited", "flow_pairings_active", "flow_pairings_ended", "flow_pairings_started",
        "participation",
    ]  # fmt: skip
    assert set(rows.loc[~rows["shown"], "reason"]) == {WITHHELD}


def published_rows(stores: Stores) -> pd.DataFrame:
    run_due(stores, key=KEY, now=NOW)
    return published(stores.published)


def test_no_count_in_a_release_is_finer_than_five(programme: Stores) -> None:
    ask(programme, 1, said=lambda *told: "9" if told[:2] == (3, "mentor") else someone(*told))
    content = run(programme, 1)
    manifest = json.loads(content)["manifest"]
    assert {row["n"] % 5 for row in numbers(content) if row["n"] is not None} == {0}
    assert list(manifest["quarantined"].values()) == [5]
    inputs = ingest(programme.raw, programme_id="P", round_id="P-R1")
    assert manifest["inputs"]["n_masked"] != inputs.n


def test_intervals_of_groups_say_nothing_about_who_agrees_in_them(programme: Stores) -> None:
    """North is split to the ends, south is of one mind in the middle: their intervals are equally wide."""

    def said(k: int, side: str, number: int, question_id: str) -> str:
        return {0: "15"[k // 4 % 2], 1: "3"}.get(k % 4, "24"[k // 4 % 2])

    ask(programme, 1, said=said)
    rows = {row["group"]: row for row in numbers(run(programme, 1), metric="trust", side="mentee", view="department")}
    widths = {group: rows[group]["high"] - rows[group]["low"] for group in ("north", "south")}
    assert widths["north"] == pytest.approx(widths["south"], abs=1)


def test_one_mentors_five_mentees_are_not_a_group_of_pairings(sqlite_stores: Stores) -> None:
    make_programme(sqlite_stores, n=48)
    ask(sqlite_stores, 1)
    with writing(sqlite_stores.raw) as connection:
        westerners = [f"P-mentee-{k}" for k in range(3, 48, 4)]
        connection.execute(update(invitations).where(invitations.c.person_id.in_(westerners)).values(department="adas"))
    inputs = ingest(sqlite_stores.raw, programme_id="P", round_id="P-R1")
    of_ada = inputs.invited["pairing_id"].isin([f"P-{k}" for k in range(3, 48, 4)])
    invited = inputs.invited.assign(mentor_id=inputs.invited["mentor_id"].mask(of_ada, "Ada"))
    invited["person_id"] = invited["person_id"].mask(of_ada & (invited["side"] == "mentor"), "Ada")
    content = build(replace(inputs, invited=invited), key=KEY)
    both = numbers(content, group="adas", metric="expectation_alignment", side="both")
    assert [row["shown"] for row in both] == [False]
