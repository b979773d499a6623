"""Writes the table of all questions that stands in this room's README."""

from surveys.questionnaire import Question, Questionnaire

HEADER = ("id", "construct", "principles", "sides", "placing", "to the mentor", "to the mentee")


def questions_table(questionnaire: Questionnaire) -> str:
    """A Markdown table, one row a question, in the order of construct and file."""
    rows = [HEADER, ("---",) * len(HEADER), *map(_row, questionnaire.questions.values())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(question: Question) -> tuple[str, ...]:
    placing = f"{question.placing}, reversed" if question.reverse else question.placing
    told = (question.text.get(side, {}).get("en", "") for side in ("mentor", "mentee"))
    return (
        f"`{question.id}`",
        question.construct,
        " ".join(question.principles),
        ", ".join(question.sides),
        placing,
        *(text.replace("|", "\\|") for text in told),
    )
