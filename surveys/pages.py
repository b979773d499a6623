"""Renders the answering pages: puts a form, its words and the reader's language into the templates."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from itsdangerous import URLSafeSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from data.store.rounds import Ask
from surveys.answers import LEVELS, MAX_COMMENT, Checked, Form, allowed
from surveys.questionnaire import DECLINED, Question
from surveys.words import all_words, best, day, languages, pick

ROOM = Path(__file__).resolve().parent
RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}


@dataclass(frozen=True)
class Control:
    """One question as the page draws it: its text and the values to tap, each with its label."""

    name: str
    text: str
    choices: tuple[tuple[str, str], ...]
    chosen: str
    is_marked: bool
    is_problem: bool


class Pages:
    """The templates of this room, in every language we speak."""

    def __init__(self, organisation: str) -> None:
        self._organisation = organisation
        self._environment = Environment(
            loader=FileSystemLoader(ROOM / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        style = (ROOM / "static" / "answer.css").read_bytes()
        self._style = f"/static/answer.css?v={hashlib.sha256(style).hexdigest()[:12]}"

    def language(self, request: Request, person: str | None = None) -> str:
        """What the reader chose on the page, else the person's own, else the browser's."""
        return best(request.query_params.get("lang"), person, request.headers.get("accept-language"))

    def form(
        self,
        request: Request,
        form: Form,
        others: list[Ask],
        signer: URLSafeSerializer,
        *,
        fields: Mapping[str, str] | None = None,
        checked: Checked | None = None,
        failed: bool = False,
        status: int = 200,
    ) -> Response:
        """The page of one ask; `fields` fills in what was sent when the server refused it."""
        language = self.language(request, form.ask.language)
        fields = fields or {}
        words = self._words(language, form)
        problems = checked.problems if checked else ()
        submission = fields.get("submission") or str(
            signer.dumps([form.ask.invitation_id, secrets.token_urlsafe(18)], salt="submission")
        )
        return self._render(
            "form.html",
            language,
            status,
            words=words,
            form=form,
            others=others,
            controls=[self._control(form, q, fields, problems, language, words) for q in form.questions],
            marked=[self._control(form, q, fields, problems, language, words) for q in form.operational],
            goals=[_goal(goal, fields, words) for goal in form.goals],
            message=_message(words, checked, failed),
            comment=fields.get("comment", ""),
            is_released=fields.get("release") == "yes",
            max_comment=MAX_COMMENT,
            submission=submission,
        )

    def thanks(
        self, request: Request, form: Form, *, receipt: str, practice_id: str | None, left: list[Ask]
    ) -> Response:
        """The receipt, with one suggestion and the way to the next pairing."""
        language = self.language(request, form.ask.language)
        practices = {entry.id: entry for entry in form.questionnaire.practices}
        chosen = practices.get(practice_id or "")
        return self._render(
            "thanks.html",
            language,
            200,
            words=self._words(language, form),
            receipt=receipt,
            practice=_named(pick(chosen.text, language), form.ask.other_name) if chosen else None,
            left=[(ask.pairing_id, _named(all_words()[language]["next_page"], ask.other_name)) for ask in left],
        )

    def said(self, request: Request, what: str, status: int) -> Response:
        """A page of one sentence: the link is closed, there is no page, it was sent twice."""
        language = self.language(request)
        words = all_words()[language]
        return self._render("said.html", language, status, words=words, title=words[f"{what}_title"], text=words[what])

    def _render(self, template: str, language: str, status: int, **values: Any) -> Response:
        text = self._environment.get_template(template).render(
            language=language,
            direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
            languages=[(tag, all_words()[tag]["language_name"]) for tag in languages()],
            style=self._style,
            **values,
        )
        return HTMLResponse(text, status_code=status)

    def _words(self, language: str, form: Form) -> dict[str, str]:
        """This page's words with names, date and number filled in."""
        filled = {
            "other": form.ask.other_name,
            "organisation": self._organisation,
            "date": day(form.round.closes_at, language),
            "n": str(len(form.questions)),
        }
        return {key: _filled(text, filled) for key, text in all_words()[language].items()}

    def _control(
        self,
        form: Form,
        question: Question,
        fields: Mapping[str, str],
        problems: tuple[str, ...],
        language: str,
        words: Mapping[str, str],
    ) -> Control:
        name = f"q:{question.id}"
        text = _named(pick(question.text[form.ask.side], language), form.ask.other_name)
        values = allowed(form.questionnaire, question)
        labels = [_label(form, question, value, language, words) for value in values]
        return Control(
            name=name,
            text=text,
            choices=tuple(zip(values, labels, strict=True)),
            chosen=fields.get(name, ""),
            is_marked=question.seen_by == "programme team",
            is_problem=question.id in problems,
        )


def _label(form: Form, question: Question, value: str, language: str, words: Mapping[str, str]) -> str:
    if value == DECLINED:
        return words["decline"]
    if question.kind == "scale" and question.scale is not None:
        labels = form.questionnaire.scales[question.scale].labels
        return (labels.get(language) or labels["en"])[int(value) - 1]
    return words.get(value, value)


def _goal(goal: Any, fields: Mapping[str, str], words: Mapping[str, str]) -> dict[str, Any]:
    """A goal with the five levels that the two agreed on, lowest first."""
    agreed = dict(goal.levels)
    return {
        "name": f"goal:{goal.goal_id}",
        "title": goal.title,
        "levels": [(str(level), agreed.get(level) or words[f"level_{level}"]) for level in LEVELS],
        "chosen": fields.get(f"goal:{goal.goal_id}", ""),
    }


def _message(words: Mapping[str, str], checked: Checked | None, failed: bool) -> str | None:
    if failed:
        return words["not_confirmed"]
    if checked is None:
        return None
    if checked.problems == ("comment",):
        return words["too_long"]
    return words["bad_value"] if checked.problems else words["nothing_answered"]


def _named(text: str, other: str) -> str:
    return text.replace("{other}", other)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """One pass, so that a name holding "{date}" stays a name."""
    parts = text.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        key, brace, rest = part.partition("}")
        filled.append(values[key] + rest if brace and key in values else "{" + part)
    return "".join(filled)
