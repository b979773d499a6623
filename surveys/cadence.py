"""Says how often, when and through which channel a programme asks, as it decided."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data.errors import RapportError

DEFAULTS = Path(__file__).resolve().parent / "cadence.toml"
LONGEST_PAUSE = timedelta(days=366)
DECISION = "cadence"  # its name among a programme's decisions


@dataclass(frozen=True)
class Pause:
    """Days on which nobody is asked, both ends included."""

    from_on: date
    to_on: date


class Cadence(BaseModel):
    """One programme's cadence; cadence.toml says what each line means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    anchor: Literal["calendar", "pairing"]
    starts_on: date
    ends_on: date | None = None
    every_weeks: int = Field(ge=1, le=52)
    open_days: int = Field(ge=2, le=60)
    kickoff: bool
    milestone_every: int = Field(ge=0, le=52)
    closing: bool
    at: time
    time_zone: str
    quiet_weekdays: frozenset[int]
    holidays: frozenset[date]
    pauses: tuple[Pause, ...]
    reminders_after_days: tuple[int, ...] = Field(max_length=2)
    days_between_asks: int = Field(ge=0, le=60)
    asks_in_28_days: int = Field(ge=1, le=28)
    dormant_after: int = Field(ge=1, le=52)
    prompt_after: int = Field(ge=1, le=52)
    channel: Literal["email", "slack", "teams", "folder", "console"]

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if not is_zone(value):
            raise ValueError(f"{value!r} is not an IANA zone such as Europe/Berlin")
        return value

    @field_validator("at")
    @classmethod
    def _wall_time(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("a wall time such as 09:00, without a zone: it is where each person lives")
        return value

    @field_validator("pauses", mode="before")
    @classmethod
    def _pauses(cls, value: Any) -> Any:
        return tuple(_pause(each) if isinstance(each, Mapping) else each for each in value)

    @field_validator("quiet_weekdays")
    @classmethod
    def _some_day_is_left(cls, value: frozenset[int]) -> frozenset[int]:
        if not value <= set(range(1, 8)) or len(value) == 7:
            raise ValueError("expected weekdays from 1 (Monday) to 7, at most six of them")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> "Cadence":
        if self.ends_on is not None and self.ends_on <= self.starts_on:
            raise ValueError("ends_on comes after starts_on")
        if list(self.reminders_after_days) != sorted(set(self.reminders_after_days)):
            raise ValueError("reminders_after_days rise")
        if any(not 0 < days < self.open_days for days in self.reminders_after_days):
            raise ValueError("reminders come between a round's first and last day")
        return self

    @property
    def period(self) -> timedelta:
        return timedelta(weeks=self.every_weeks)

    def is_quiet(self, day: date) -> bool:
        """Whether nobody is asked on that day."""
        is_paused = any(pause.from_on <= day <= pause.to_on for pause in self.pauses)
        return is_paused or day.isoweekday() in self.quiet_weekdays or day in self.holidays


def _pause(each: Mapping[str, Any]) -> Pause:
    try:
        start, end = (_day(each[name]) for name in ("from", "to"))
    except (KeyError, TypeError):
        raise ValueError("a pause is { from = 2026-08-01, to = 2026-08-15 }") from None
    if end < start:
        raise ValueError("a pause ends before it begins")
    if end - start > LONGEST_PAUSE:
        raise ValueError("a pause is at most a year; `rapport rounds cadence --stop` ends asking")
    return Pause(start, end)


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


@cache
def defaults() -> Mapping[str, Any]:
    """What cadence.toml says."""
    return tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))


def decided(decisions: Mapping[str, Any]) -> Cadence | None:
    """The cadence among a programme's decisions; None: its rounds are opened by hand and nobody is written to."""
    own = decisions.get(DECISION)
    return None if own is None else read(own)


def read(own: Mapping[str, Any]) -> Cadence:
    """A cadence from what a programme wrote and the defaults; raises RapportError naming the line."""
    try:
        return Cadence.model_validate({**defaults(), **own})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the cadence"
        said = first["msg"].removeprefix("Value error, ")
        raise RapportError(f"The cadence cannot be used, {where}: {said}.") from None


def kept(cadence: Cadence) -> dict[str, Any]:
    """The cadence as JSON, for the programme's decisions."""
    plain = cadence.model_dump(mode="json", exclude={"pauses"})
    pauses = [{"from": str(each["from_on"]), "to": str(each["to_on"])} for each in map(asdict, cadence.pauses)]
    return {**plain, "pauses": pauses}


@cache
def is_zone(name: str) -> bool:
    """Whether it names an IANA zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
