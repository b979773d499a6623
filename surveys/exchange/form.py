"""Says what every exchange gives and is given: foreign responses, and the map that explains them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from data.imports.files import HandedIn
from data.imports.report import Refusal
from data.imports.sheet import Layout, Limits
from surveys.questionnaire import Construct, Question, Questionnaire, Scale

Alternatives = tuple[str, ...]  # the ways a heading may be written


@dataclass(frozen=True, kw_only=True)
class ForeignQuestion:
    """One question of the other tool. `columns`: option → headings; "" for the question's only column.

    `values`: our value → their ways to write it; `no_answer`: what they write where nothing was said.
    """

    id: str
    columns: Mapping[str, Alternatives]
    values: Mapping[str, Alternatives] = field(default_factory=dict)
    no_answer: Alternatives = ()
    question: Question | None = None  # null where the id is ours and asks in our words


@dataclass(frozen=True, kw_only=True)
class ForeignMap:
    """What an organisation tells about an export. `respondents`: token → pairing and side."""

    layout: Layout = field(default_factory=Layout)
    time_zone: tzinfo = ZoneInfo("UTC")
    equations_masked: bool = False
    columns: Mapping[str, Alternatives] = field(default_factory=dict)
    sides: Mapping[str, str] = field(default_factory=dict)
    respondents: Mapping[str, tuple[str, str]] | None = None
    questions: tuple[ForeignQuestion, ...] = ()
    scales: tuple[Scale, ...] = ()
    constructs: tuple[Construct, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ForeignResponse:
    """One response, as its rows say it. `cells`: question id → what was written, None for nothing.

    `row_of` names a cell's own row where each answer has one; `faults`: question id → why it is no text.
    """

    row_numbers: tuple[int, ...]
    pairing_id: str
    side: str
    response_key: str
    submitted_at: datetime | None
    last_action_at: datetime | None
    language: str | None
    cells: Mapping[str, str | None]
    faults: Mapping[str, str] = field(default_factory=dict)
    row_of: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return self.submitted_at is not None

    @property
    def answered_at(self) -> datetime | None:
        return self.submitted_at or self.last_action_at


@dataclass(frozen=True, kw_only=True)
class ForeignFile:
    """A whole export: its responses, and the rows that are none."""

    responses: tuple[ForeignResponse, ...]
    refused: tuple[Refusal, ...]
    n_rows: int
    n_header: int
    n_blank: int
    unknown_columns: tuple[str, ...] = ()


# One tool is one function: the file, what is told about it, the round's questionnaire → its responses.
Reader = Callable[[HandedIn, ForeignMap, Questionnaire, Limits], ForeignFile]
