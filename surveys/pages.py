"""Renders the answering pages: puts a form, its words and the reader's language into the templates."""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape
from starlette.requests import Request
from starlette.responses import Response

from data.store.rounds import Ask, Round
from surveys.answers import LEVELS, MAX_COMMENT, Checked, Form, allowed
from surveys.questionnaire import DECLINED, Practice, Question
from surveys.words import RIGHT_TO_LEFT, all_words, best, day, filled, languages, pick

ROOM = Path(__file__).resolve().parent
SMALL = 500  # bytes that are not worth compressing
MOST_BLANKS = 2_000
# Where a page differs from person to person; no template and no word holds this character.
OTHER, PAIRING, PAGE_ID, RECEIPT = (f"\x02{name}\x02" for name in ("other", "pairing", "page", "receipt"))
QUOTED_PAIRING = quote(PAIRING)


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
            auto_reload=False,
        )
        self._sheet = (ROOM / "static" / "answer.css").read_bytes()
        self._small_sheet = _compressed(self._sheet, level=9)
        self._style = f"/static/answer.css?v={hashlib.sha256(self._sheet).hexdigest()[:12]}"
        self._blanks: dict[tuple[object, ...], str] = {}

    def language(self, request: Request, person: str | None = None) -> str:
        """What the reader chose on the page, else the person's own, else the browser's."""
        return best(request.query_params.get("lang"), person, request.headers.get("accept-language"))

    def style(self, request: Request) -> Response:
        """The one style sheet."""
        return _respond(request, self._sheet, 200, "text/css", self._small_sheet)

    def form(
        self,
        request: Request,
        form: Form,
        others: Iterable[Ask],
        page_id: str,
        *,
        fields: Mapping[str, str] | None = None,
        checked: Checked | None = None,
        message: str | None = None,
        note: str | None = None,
        status: int = 200,
    ) -> Response:
        """The page of one ask; `fields` fills in a draft, or what was sent when the server refused it."""
        language = self.language(request, form.ask.language)
        others = list(others)
        if fields or message or note or others or form.goals:
            text = self._form(form, language, others, page_id, fields or {}, checked, message, note)
        else:
            text = self._blank_form(form, language, page_id)
        return _respond(request, text, status)

    def thanks(
        self, request: Request, of: Round, ask: Ask, *, receipt: str | None, practice: Practice | None, left: list[Ask]
    ) -> Response:
        """The receipt, with one suggestion and the way to the next pairing; without a receipt, what was withdrawn."""
        language = self.language(request, ask.language)

        def blank() -> str:
            return self._render(
                "thanks.html",
                language,
                words=self._words(language, OTHER, of),
                receipt=RECEIPT if receipt else None,
                practice=_named(pick(practice.text, language), OTHER) if practice else None,
                left=[(each.pairing_id, _named(all_words()[language]["next_page"], each.other_name)) for each in left],
            )

        key = ("thanks", of.snapshot_id, language, of.closes_at, bool(receipt), practice.id if practice else None)
        text = blank() if left else self._once(key, blank)
        return _respond(request, text.replace(RECEIPT, receipt or "").replace(OTHER, escape(ask.other_name)), 200)

    def withdraw(
        self, request: Request, form: Form, fields: Mapping[str, str], seen: str, status: int = 200
    ) -> Response:
        """Asks once more before answers are withdrawn; `seen` says which, signed."""
        language = self.language(request, form.ask.language)
        words = self._words(language, form.ask.other_name, form.round)
        message = words["not_withdrawn"] if status != 200 else None
        page_id = fields["submission"]
        values = {"words": words, "ask": form.ask, "page_id": page_id, "seen": seen, "message": message}
        return _respond(request, self._render("withdraw.html", language, **values), status)

    def again(self, request: Request, fields: Mapping[str, str], status: int) -> Response:
        """Keeps what was sent and asks to press again, where not even the questions can be read now."""
        language = self.language(request)
        values = {"words": all_words()[language], "fields": fields, "path": request.url.path}
        return _respond(request, self._render("again.html", language, **values), status)

    def said(self, request: Request, what: str, status: int, person: str | None = None, **named: str) -> Response:
        """A page of one sentence: the link is closed, there is no page, it was sent twice."""
        language = self.language(request, person)
        words = all_words()[language]
        title, text = words[f"{what}_title"], filled(words[what], named)
        return _respond(request, self._render("said.html", language, words=words, title=title, text=text), status)

    def button(self, request: Request, what: str, name: str) -> Response:
        """A page of one sentence and one button, which sends `name` to where the page came from."""
        language = self.language(request)
        words = all_words()[language]
        texts = {"title": words[f"{what}_title"], "text": words[what], "button": words[f"{what}_button"]}
        return _respond(request, self._render("button.html", language, words=words, name=name, **texts), 200)

    def _blank_form(self, form: Form, language: str, page_id: str) -> str:
        """An empty page: rendered once for everybody who is asked the same, then filled with names."""
        ask = form.ask
        key = (form.round.snapshot_id, form.round.pulse, form.round.closes_at, ask.side, ask.form, language)

        def blank() -> str:
            nobody = replace(form, ask=replace(ask, other_name=OTHER, pairing_id=PAIRING))
            return self._form(nobody, language, [], PAGE_ID, {}, None, None, None)

        text = self._once((*key, ask.has_answered), blank).replace(PAGE_ID, page_id)
        text = text.replace(QUOTED_PAIRING, quote(ask.pairing_id)).replace(PAIRING, escape(ask.pairing_id))
        return text.replace(OTHER, escape(ask.other_name))  # last, so that a name is never taken for a gap

    def _form(
        self,
        form: Form,
        language: str,
        others: list[Ask],
        page_id: str,
        fields: Mapping[str, str],
        checked: Checked | None,
        message: str | None,
        note: str | None,
    ) -> str:
        words = {**self._words(language, form.ask.other_name, form.round, n=len(form.questions))}
        problems = checked.problems if checked else ()
        return self._render(
            "form.html",
            language,
            words=words,
            form=form,
            others=others,
            controls=[self._control(form, q, fields, problems, language, words) for q in form.questions],
            marked=[self._control(form, q, fields, problems, language, words) for q in form.operational],
            goals=[_goal(goal, fields, words) for goal in form.goals],
            message=words[message] if message else None,
            note=words[note] if note else None,
            comment=fields.get("comment", ""),
            is_released=fields.get("release") == "yes",
            max_comment=MAX_COMMENT,
            submission=page_id,
        )

    def _once(self, key: tuple[object, ...], render: Callable[[], str]) -> str:
        text = self._blanks.get(key)
        if text is None:
            if len(self._blanks) >= MOST_BLANKS:
                self._blanks.clear()
            text = self._blanks[key] = render()
        return text

    def _render(self, template: str, language: str, **values: Any) -> str:
        return self._environment.get_template(template).render(
            language=language,
            direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
            languages=[(tag, all_words()[tag]["language_name"]) for tag in languages()],
            style=self._style,
            **values,
        )

    def _words(self, language: str, other: str, of: Round, n: int = 0) -> dict[str, str]:
        """This page's words with names, date and number filled in."""
        values = {
            "other": other,
            "organisation": self._organisation,
            "date": day(of.closes_at, language),
            "n": str(n),
        }
        return {key: filled(text, values) for key, text in all_words()[language].items()}

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


def trouble(checked: Checked) -> str | None:
    """The word that says why a checked page is not taken; None where it can be."""
    if checked.problems:
        return "too_long" if checked.problems == ("comment",) else "bad_value"
    return "nothing_answered" if checked.is_empty else None


def _respond(
    request: Request, text: str | bytes, status: int, kind: str = "text/html", small: bytes | None = None
) -> Response:
    """The text, compressed where the browser takes that; on a phone line bytes are time."""
    body = text.encode() if isinstance(text, str) else text
    headers = {"Vary": "Accept-Encoding"}
    if len(body) >= SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        body = small or _compressed(body)
        headers["Content-Encoding"] = "gzip"
    return Response(body, status_code=status, headers=headers, media_type=kind)


def _compressed(body: bytes, level: int = 1) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


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


def _named(text: str, other: str) -> str:
    return text.replace("{other}", other)
