"""Makes small questionnaires, answers and facts for the pipeline's tests."""

from collections.abc import Iterable, Mapping

import pandas as pd

from data.contracts import Answers, Invited, Scored, conform
from pipeline.metric import Facts
from surveys.questionnaire import Construct, Pulse, Question, Questionnaire, Scale

AGREE = Scale(id="agree", labels={"en": ("1", "2", "3", "4", "5")})


def question(id_: str, construct: str, *, sides: Iterable[str] = ("mentor", "mentee"), **more: object) -> Question:
    text = {side: {"en": id_} for side in sides}
    kind = more.pop("kind", "scale")
    scale = "agree" if kind == "scale" else None
    return Question(id=id_, construct=construct, kind=kind, text=text, scale=scale, **more)  # type: ignore[arg-type]


def questionnaire(questions: Iterable[Question], pulses: Mapping[str, Iterable[str]]) -> Questionnaire:
    """Pulses by id: the questions that every form of it asks; "pulse" has six rotating seats."""
    by_id = {each.id: each for each in questions}
    names = sorted({each.construct for each in by_id.values()})
    return Questionnaire(
        scales={"agree": AGREE},
        constructs={name: Construct(id=name, kind="construct", label={"en": name}) for name in names},
        questions=by_id,
        pulses={
            pulse: Pulse(
                id=pulse,
                title={"en": pulse},
                max_questions=18,
                fixed={side: tuple(id_ for id_ in ids if side in by_id[id_].sides) for side in ("mentor", "mentee")},
                seats=6 if pulse == "pulse" else 0,
            )
            for pulse, ids in pulses.items()
        },
    )


def answers_of(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Answers (contract) from rows of pairing, side, question, value and perhaps number, pulse, mentor, person."""
    full = [
        {
            "round_id": f"R{row.get('number', 1)}",
            "round_number": row.get("number", 1),
            "pulse": row.get("pulse", "pulse"),
            "pairing_id": row["pairing"],
            "side": row["side"],
            "person_id": row.get("person", f"{row['side']} of {row['pairing']}"),
            "mentor_id": row.get("mentor", f"mentor of {row['pairing']}"),
            "question_id": row["question"],
            "value": str(row["value"]),
        }
        for row in rows
    ]
    return conform(Answers, pd.DataFrame(full, columns=list(Answers.to_schema().columns)))


def facts_of(text: str) -> Facts:
    """Facts from a small text table: pairing, side, and perhaps construct, score, mentor, answered, department."""
    header, *lines = [line.split() for line in text.strip().splitlines()]
    given = [dict(zip(header, line, strict=True)) for line in lines]
    rows = [_invited(row) for row in given]
    invited = pd.DataFrame(rows).drop_duplicates(["pairing_id", "side"])
    scored = pd.DataFrame([_scored(row) for row in given if "score" in row], columns=_scored_columns())
    return Facts(invited=conform(Invited, invited), scored=conform(Scored, scored))


def _scored_columns() -> list[str]:
    return list(Scored.to_schema().columns)


def _who(row: Mapping[str, str]) -> dict[str, object]:
    mentor = row.get("mentor", f"mentor of {row['pairing']}")
    person = mentor if row["side"] == "mentor" else f"mentee of {row['pairing']}"
    key = {"round_id": "R1", "round_number": 1, "pairing_id": row["pairing"], "side": row["side"]}
    return {**key, "person_id": person, "mentor_id": mentor}


def _invited(row: Mapping[str, str]) -> dict[str, object]:
    attributes = {name: row.get(name, "") for name in ("cohort", "department", "location", "grade")}
    answered = row.get("answered", "yes") == "yes"
    return {**_who(row), **attributes, "programme_id": "P", "pulse": "pulse", "has_answered": answered}


def _scored(row: Mapping[str, str]) -> dict[str, object]:
    score = float(row["score"])
    ends = {"lowest": score, "highest": score, "n_items": 1, "is_whole": True}
    return {**_who(row), **ends, "construct": row["construct"], "score": score}
