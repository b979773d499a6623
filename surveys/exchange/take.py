"""Imports a file of answers from another tool into a round, by the checks of our own page."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import get_args

from data.errors import RapportError
from data.imports.files import HandedIn, take_in
from data.imports.report import ImportReport, reasons_of
from data.imports.responses import Given, store_given
from data.imports.sheet import LIMITS, Limits
from data.store import people, rounds
from data.store.answers import Submission
from data.store.engine import Stores, reading, writing
from surveys.exchange import csv, limesurvey
from surveys.exchange.form import ForeignFile, ForeignMap, Reader
from surveys.exchange.judge import Judgement, Taken, judge, submission_id
from surveys.exchange.mapping import read_foreign_map
from surveys.questionnaire import Kind, Question, Questionnaire

TOOLS: dict[str, Reader] = {"csv": csv.read, "limesurvey": limesurvey.read}


def import_answers(
    stores: Stores,
    *,
    path: Path,
    tool: str,
    round_id: str,
    now: datetime,
    map_path: Path | None = None,
    dry_run: bool = False,
    limits: Limits = LIMITS,
) -> ImportReport:
    """Take a file's responses; `rows` counts its rows, `cells` the answers refused out of accepted rows."""
    if tool not in TOOLS:
        raise RapportError(f"Answers from {tool} cannot be read; expected one of {', '.join(TOOLS)}.")
    told = read_foreign_map(map_path) if map_path else ForeignMap()
    handed_in = take_in(path, limits)
    with reading(stores.raw) as connection:
        of_round = rounds.read_round(connection, round_id)
        kept = rounds.questionnaire_json(connection, round_id)
        pairings = {pairing.pairing_id for pairing in people.pairings_of(connection, of_round.programme_id)}
    questionnaire = declare(Questionnaire.from_json(kept), told)
    file = TOOLS[tool](handed_in, told, questionnaire, limits)
    judged = judge(file, told=told, questionnaire=questionnaire, of_round=of_round, pairings=pairings)
    report = _report(tool, handed_in, file, judged)
    if dry_run:
        return report
    with writing(stores.raw) as connection:
        return store_given(
            connection,
            report=report,
            handed_in=handed_in,
            of_round=of_round,
            content=questionnaire.to_json(),
            given=_given(judged, tool, round_id),
            refused=[*judged.rows, *judged.cells],
            now=now,
        )


def _report(tool: str, handed_in: HandedIn, file: ForeignFile, judged: Judgement) -> ImportReport:
    return ImportReport(
        kind=f"answers-{tool}",
        file_name=handed_in.name,
        rows=file.n_rows,
        accepted=sum(len(entry.row_numbers) for entry in judged.taken),
        quarantined=len(judged.rows),
        blank=file.n_blank,
        header=file.n_header,
        cells=len(judged.cells),
        reasons=reasons_of([*judged.rows, *judged.cells]),
        unknown_columns=file.unknown_columns,
    )


def declare(questionnaire: Questionnaire, told: ForeignMap) -> Questionnaire:
    """The round's questionnaire and the other tool's questions, which may not take our ids."""
    for scale in told.scales:
        if questionnaire.scales.get(scale.id, scale) != scale:
            raise RapportError(f"The scale {scale.id} is already taken with other labels; give it another id.")
    new = {construct.id: construct for construct in told.constructs}
    for id_, construct in new.items():
        if questionnaire.constructs.get(id_, construct) != construct:
            raise RapportError(f"The construct {id_} is already taken; give the foreign one another id.")
    constructs = {**questionnaire.constructs, **new}
    whole = replace(questionnaire.with_scales(told.scales), constructs=constructs)
    foreign = tuple(entry.question for entry in told.questions if entry.question is not None)
    for question in foreign:
        _refuse_bad_question(whole, question)
    whole = whole.with_questions(foreign)
    for entry in told.questions:
        if entry.id not in whole.questions:
            raise RapportError(f"The question {entry.id} is not in the round; give it a construct, kind and text.")
    return whole


def _refuse_bad_question(questionnaire: Questionnaire, question: Question) -> None:
    name = f"The question {question.id} of the map"
    if question.kind not in get_args(Kind):
        raise RapportError(f"{name} has an unknown kind; expected one of {', '.join(get_args(Kind))}.")
    if not question.text:
        raise RapportError(f"{name} has no text for any side; say what mentor, mentee or both were asked.")
    if question.construct not in questionnaire.constructs:
        raise RapportError(f"{name} belongs to {question.construct}, which is no construct; declare it.")
    if question.kind == "scale" and question.scale not in questionnaire.scales:
        raise RapportError(f"{name} needs one of the scales {', '.join(questionnaire.scales)}.")
    if question.shareable or question.seen_by != "nobody":
        raise RapportError(f"{name} was not announced as seen by anyone, so nobody may see its answers.")
    if "[" in question.id:
        raise RapportError(f"{name} has a bracket in its id; expected letters, digits and _.")


def _given(judged: Judgement, tool: str, round_id: str) -> list[Given]:
    return [
        Given(
            pairing_id=entry.response.pairing_id,
            side=entry.response.side,
            submission=_submission(entry, tool, round_id),
        )
        for entry in judged.taken
    ]


def _submission(entry: Taken, tool: str, round_id: str) -> Submission:
    return Submission(
        invitation_id="",
        submission_id=submission_id(tool, round_id, entry),
        received_at=entry.answered_at,
        source=tool,
        answers=entry.answers,
        language=entry.response.language,
        is_complete=entry.response.is_complete,
    )
