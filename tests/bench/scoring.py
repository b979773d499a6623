"""Scores ten million answers, and gives their reliability and the two sides' agreement: Rapport, DuckDB, a notebook.

50,000 pairings × two sides × 13 rounds × 8 items of one construct, one answer in ten missing. All three
compute the same: item effects by two-way least squares, each person's score in each round, then for each
round and side Cronbach's alpha, and for each round the sides' correlation. `python -m tests.bench.scoring`.
"""

import sys
from typing import Any

import numpy as np
import pandas as pd

from tests.bench.measure import cost, told

PAIRINGS, ROUNDS, ITEMS = 50_000, 13, 8
RIDGE = 1.0


def answers(pairings: int = PAIRINGS) -> pd.DataFrame:
    """One row an answer: person (round × pairing × side as one number), item, points, number (of the round)."""
    rng = np.random.default_rng(5)
    n_people = ROUNDS * pairings * 2
    level = rng.normal(65, 14, n_people) + np.repeat(rng.normal(0, 10, n_people // 2), 2)
    easy = rng.normal(0, 6, ITEMS)
    raw = level[:, None] + easy[None, :] + rng.normal(0, 14, (n_people, ITEMS))
    points = (np.clip(np.rint(raw / 25), 0, 4) * 25).astype(np.float32)
    there = rng.random((n_people, ITEMS)) > 0.1
    person, item = np.nonzero(there)
    return pd.DataFrame(
        {
            "person": person.astype(np.int32),
            "item": item.astype(np.int8),
            "points": points[there],
            "number": (person // (pairings * 2) + 1).astype(np.int8),
        }
    )


# --- Rapport ---------------------------------------------------------------------------------------


def ours_prepared() -> Any:
    from pipeline.score import Told

    data = answers()
    columns = (data[name].to_numpy() for name in ("points", "person", "item", "number"))
    return Told(*columns, ITEMS)


def ours_scored(prepared: Any) -> Any:
    from pipeline.score import score_items

    return score_items(prepared)


def ours_whole(prepared: Any) -> Any:
    from pipeline.instrument import alpha
    from pipeline.score import score_items

    scored = score_items(prepared)
    first = scored["first"].to_numpy()
    said = np.full((ITEMS, int(prepared.person.max()) + 1), np.nan)
    said[prepared.item, prepared.person] = prepared.points
    said = said[:, prepared.person[first]]
    number, person = prepared.number[first], prepared.person[first]
    reliability, agreement = {}, {}
    for each in range(1, ROUNDS + 1):
        now = np.flatnonzero(number == each)
        for side in (0, 1):
            of_side = now[person[now] % 2 == side]
            reliability[each, side] = alpha(pd.DataFrame(said[:, of_side].T))
        score = np.full(2 * PAIRINGS, np.nan)
        score[person[now] % (2 * PAIRINGS)] = scored["score"].to_numpy()[now]
        both = score.reshape(-1, 2)
        both = both[~np.isnan(both).any(axis=1)]
        agreement[each] = np.corrcoef(both.T)[0, 1]
    return reliability, agreement


# --- DuckDB ----------------------------------------------------------------------------------------


def duckdb_prepared() -> Any:
    import duckdb

    data = answers()
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.execute("CREATE TABLE a AS SELECT * FROM data")
    del data
    return connection


def duckdb_scored(connection: Any) -> Any:
    """Two aggregations over the answers; the 8 × 8 equations are solved outside, as SQL has no solver."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE p AS SELECT person, sum(points) AS total, count(*) AS n,"
        " min(points) AS lowest, max(points) AS highest, bit_or(1 << item::INTEGER) AS met FROM a GROUP BY person"
    )
    right = connection.execute(
        "SELECT item, sum(a.points - p.total / p.n) FROM a JOIN p USING (person) GROUP BY item ORDER BY item"
    ).fetchnumpy()
    sets = connection.execute("SELECT met, n, count(*) AS people FROM p GROUP BY met, n").fetchnumpy()
    met = (sets["met"][:, None] >> np.arange(ITEMS)) & 1
    weight = sets["people"] / sets["n"]
    within = np.diag(met.T @ sets["people"]) - (met * weight[:, None]).T @ met
    effects = np.linalg.solve(within + RIDGE * np.eye(ITEMS), list(right.values())[1])
    cases = " + ".join(f"((met >> {item}) & 1) * {effect}" for item, effect in enumerate(effects))
    return connection.execute(
        f"CREATE OR REPLACE TEMP TABLE s AS SELECT person, (total - ({cases})) / n + {effects.mean()} AS score,"
        " n, lowest, highest FROM p"
    )


def duckdb_whole(connection: Any) -> Any:
    duckdb_scored(connection)
    per_side = 2 * PAIRINGS
    alpha = connection.execute(
        "WITH w AS (SELECT person, number, "
        + ", ".join(f"max(points) FILTER (item = {i}) AS i{i}" for i in range(ITEMS))
        + " FROM a GROUP BY person, number), c AS (SELECT * FROM w WHERE "
        + " AND ".join(f"i{i} IS NOT NULL" for i in range(ITEMS))
        + f") SELECT number, person % 2 AS side, {ITEMS} / ({ITEMS} - 1.0) * (1 - ("
        + " + ".join(f"var_samp(i{i})" for i in range(ITEMS))
        + ") / var_samp("
        + " + ".join(f"i{i}" for i in range(ITEMS))
        + ")) AS alpha FROM c GROUP BY ALL"
    ).fetchnumpy()
    agreement = connection.execute(
        f"SELECT x.person // {per_side} AS round, corr(x.score, y.score) FROM s x JOIN s y ON y.person = x.person + 1"
        " WHERE x.person % 2 = 0 GROUP BY round"
    ).fetchnumpy()
    return alpha, agreement


# --- a notebook --------------------------------------------------------------------------------------


def notebook_prepared() -> Any:
    data = answers()
    data["pairing"] = (data["person"] // 2) % PAIRINGS
    data["side"] = np.where(data["person"] % 2 == 0, "mentor", "mentee")
    data["question"] = "q" + data["item"].astype(str)
    return data


def notebook_scored(data: pd.DataFrame) -> pd.DataFrame:
    """As one writes it: centre by person, item effects by alternating means, group again."""
    effect = pd.Series(0.0, index=sorted(data["question"].unique()))
    for _ in range(5):
        left = data["points"] - data["question"].map(effect)
        person = left.groupby([data["number"], data["pairing"], data["side"]]).transform("mean")
        effect = (data["points"] - person).groupby(data["question"]).mean()
        effect = effect - effect.mean()
    adjusted = data.assign(points=data["points"] - data["question"].map(effect))
    return adjusted.groupby(["number", "pairing", "side"])["points"].agg(["mean", "count", "min", "max"]).reset_index()


def notebook_whole(data: pd.DataFrame) -> Any:
    import pingouin

    scored = notebook_scored(data)
    alpha = {}
    for key, rows in data.groupby(["number", "side"]):
        wide = rows.pivot_table(index="pairing", columns="question", values="points")
        alpha[key] = pingouin.cronbach_alpha(wide.dropna())
    agreement = {}
    for number, rows in scored.groupby("number"):
        wide = rows.pivot(index="pairing", columns="side", values="mean").dropna()
        agreement[number] = pingouin.corr(wide["mentor"], wide["mentee"])
    return alpha, agreement


def main() -> None:
    costs = {
        "rapport scoring": cost(ours_prepared, ours_scored, runs=5),
        "duckdb scoring": cost(duckdb_prepared, duckdb_scored, runs=5),
        "notebook scoring": cost(notebook_prepared, notebook_scored, runs=1),
        "rapport to reliability and agreement": cost(ours_prepared, ours_whole, runs=5),
        "duckdb to reliability and agreement": cost(duckdb_prepared, duckdb_whole, runs=5),
        "notebook to reliability and agreement": cost(notebook_prepared, notebook_whole, runs=1),
    }
    ratios = {}
    for what in ("scoring", "to reliability and agreement"):
        ours = costs[f"rapport {what}"]
        for other in ("duckdb", "notebook"):
            theirs = costs[f"{other} {what}"]
            ratios[f"cpu {what}: rapport / {other}"] = ours.cpu_s / theirs.cpu_s
            ratios[f"wall {what}: rapport / {other}"] = ours.wall_s / theirs.wall_s
    sys.stdout.write(told(costs, ratios) + "\n")


if __name__ == "__main__":
    main()
