"""Says what the business-case report says, once for every format: its sections, sentences, charts and tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dashboard import case as told_case
from dashboard.case import Said, Told, case_told
from dashboard.case_figures import (
    cost_table,
    effects_chart,
    inputs_table,
    source_table,
    tornado_chart,
    waves_chart,
)
from dashboard.chart import Chart, Row, Table
from dashboard.findings import HEADLINE, PARTICIPATION, SIDES, Numbers, Reading, flows, headline, readings
from dashboard.panels import bounds_of, constructs, round_name, scores, trend, value_of
from dashboard.story import change_in_words, strong_and_weak, verdict
from dashboard.tables import flow_table, metric_name, table_of
from dashboard.words import Words
from pipeline.published import PROGRAMME, catalogue

DESCRIBES = "describes"


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One or two sentences; those that say something of the programme carry their claim."""

    text: str
    claim: str = ""


@dataclass(frozen=True, kw_only=True)
class Block:
    """One thing in a section: `kind` is what it is, and only that field is filled."""

    kind: str
    sentences: tuple[Sentence, ...] = ()
    chart: Chart | None = None
    table: Table | None = None
    terms: tuple[tuple[str, str, str], ...] = ()
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything a format needs; the first section is page one."""

    language: str
    title: str
    subject: str
    about: str
    release: str
    closed_on: date
    sections: tuple[Section, ...]


def report_of(numbers: Numbers, *, organisation: str, language: str) -> Report:
    """The report of a programme's newest release."""
    words, latest = Words(language), numbers.latest
    named = {"programme": numbers.programme.name, "round": round_name(words, latest)}
    about = words(
        "report_about", organisation=organisation, day=words.day(latest.closed_on), release=latest.id, **named
    )
    return Report(
        language=words.language,
        title=words("report_title"),
        subject=words("report_subject", **named),
        about=about,
        release=latest.id,
        closed_on=latest.closed_on,
        sections=(
            _front(numbers, words),
            _flow(numbers, words),
            *_outcomes(numbers, words),
            _participation(numbers, words),
            _trends(numbers, words),
            _profile(numbers, words),
            *_worth(numbers, words),
            _unknown(numbers, words),
            *_protocol(numbers, words),
            _method(numbers, words),
            _appendix(numbers, words),
        ),
    )


def _front(numbers: Numbers, words: Words) -> Section:
    """Page one: what cannot be said yet, what the pairs say, what to decide."""
    return Section(
        title=words("report_verdict" if numbers.latest.case is None else "case_h_verdict"),
        blocks=(
            *_verdict(numbers, words),
            _callout(words("report_decide"), [_decision(numbers, words)]),
            _heading(words("report_quality")),
            _said([*verdict(numbers, words), *strong_and_weak(numbers, words), _flow_sentence(numbers, words)]),
            Block(kind="table", table=_headline(numbers, words)),
            _plain([words("interval_note"), words("n_note")]),
            *_front_chart(numbers, words),
        ),
    )


def _front_chart(numbers: Numbers, words: Words) -> list[Block]:
    """Where page one has room: a release with a business case has its own sentences there."""
    if numbers.latest.case is not None:
        return []
    return _drawn([scores(numbers, headline(numbers), "headline", words).chart])


def _headline(numbers: Numbers, words: Words) -> Table:
    """The four headline numbers: a line each, a column a side, and how they moved."""
    sides = (*SIDES, "both")
    rows = [
        Row(
            heading=(metric_name(words, metric),),
            cells=(*(_cell(numbers.now(metric, side), words) for side in sides), _moved(numbers, metric, words)),
        )
        for metric in (*HEADLINE, PARTICIPATION)
    ]
    change = words("th_change")
    columns = (words("th_metric"), *(words(f"side_{side}") for side in sides), change)
    caption = words("report_headline_caption", round=round_name(words, numbers.latest))
    return Table(caption=caption, columns=columns, n_headings=1, rows=tuple(rows))


def _cell(reading: Reading | None, words: Words) -> str:
    if reading is None:
        return "–"
    if not reading.shown:
        return words("withheld")
    return words("n_cell", value=value_of(words, reading), bounds=bounds_of(words, reading), n=reading.n)


def _moved(numbers: Numbers, metric: str, words: Words) -> str:
    now = numbers.now(metric, "both")
    return "–" if now is None or not now.shown else change_in_words(numbers, metric, words)


def _participation(numbers: Numbers, words: Words) -> Section:
    found = [numbers.now(PARTICIPATION, side) for side in SIDES]
    said = [
        words(
            "report_participation_sentence",
            side=words(f"side_{each.side}"),
            value=value_of(words, each),
            bounds=bounds_of(words, each),
            n=each.n,
        )
        for each in found
        if each is not None and each.shown
    ]
    said += [words("withheld") for each in found if each is not None and not each.shown]
    blocks = [_said(said), _plain([words("report_silent")]), *_drawn([_trend(numbers, PARTICIPATION, words)])]
    return Section(title=words("report_participation"), blocks=tuple(blocks))


def _flow(numbers: Numbers, words: Words) -> Section:
    table = flow_table(flows(numbers), words("report_flow_caption"), words, numbers)
    return Section(
        title=words("report_flow"), blocks=(_said([_flow_sentence(numbers, words)]), Block(kind="table", table=table))
    )


def _flow_sentence(numbers: Numbers, words: Words) -> str:
    now = {each.metric: f"{each.numbers[0]:.0f}" for each in flows(numbers) if each.release == numbers.latest.id}
    counts = {name: now.get(f"flow_pairings_{name}", "–") for name in ("started", "active", "ended")}
    return words("report_flow_sentence", round=round_name(words, numbers.latest), **counts)


def _trends(numbers: Numbers, words: Words) -> Section:
    charts = [_trend(numbers, metric, words) for metric in HEADLINE]
    return Section(title=words("report_trends"), blocks=tuple(_drawn(charts)))


def _profile(numbers: Numbers, words: Words) -> Section:
    blocks = [
        _said(strong_and_weak(numbers, words)),
        _plain([words("strong_weak_note")]),
        *_drawn([constructs(numbers, words).chart]),
    ]
    return Section(title=words("report_profile"), blocks=tuple(blocks))


def _verdict(numbers: Numbers, words: Words) -> list[Block]:
    """The business case in a few sentences, or that this release holds none."""
    case = case_told(numbers, words)
    if case is None:
        return [_callout("", [words("report_verdict_text")])]
    first = Block(kind="callout", sentences=tuple(map(_sentence, told_case.keeps(case))))
    return [first, _claimed(told_case.money(case))]


def _decision(numbers: Numbers, words: Words) -> str:
    case = case_told(numbers, words)
    return words("report_decide_text") if case is None else told_case.decision(case)


def _outcomes(numbers: Numbers, words: Words) -> list[Section]:
    case = case_told(numbers, words)
    return [_no_case(words)] if case is None else [_people_stay(case), _engaged(case)]


def _worth(numbers: Numbers, words: Words) -> list[Section]:
    case = case_told(numbers, words)
    return [] if case is None else [_money(case), _how_sure(case)]


def _people_stay(case: Told) -> Section:
    words = case.words
    blocks = [
        _claimed(told_case.keeps(case)),
        *_drawn([effects_chart(case)]),
        _heading(words("case_h_take")),
        _claimed(told_case.would_take(case)),
    ]
    return Section(title=words("case_h_retention"), blocks=tuple(blocks))


def _engaged(case: Told) -> Section:
    blocks = [_claimed(told_case.engagement(case)), *_drawn([waves_chart(case)])]
    return Section(title=case.words("case_h_engagement"), blocks=tuple(blocks))


def _money(case: Told) -> Section:
    words = case.words
    tables = [Block(kind="table", table=each) for each in (cost_table(case), source_table(case)) if each is not None]
    inputs = Block(kind="table", table=inputs_table(case))
    blocks = [
        _claimed(told_case.money(case)),
        *tables,
        *_drawn([tornado_chart(case)]),
        _heading(words("case_h_inputs")),
        inputs,
    ]
    return Section(title=words("case_h_money"), blocks=tuple(blocks))


def _how_sure(case: Told) -> Section:
    words, assumed = case.words, told_case.assumed(case)
    blocks = [_claimed(told_case.checks(case))]
    blocks += [_heading(words("case_h_assumes")), _bullets(assumed)] if assumed else []
    return Section(title=words("case_h_sure"), blocks=tuple(blocks))


def _protocol(numbers: Numbers, words: Words) -> list[Section]:
    case = case_told(numbers, words)
    if case is None:
        return []
    steps = [f"{name}: {text}" for name, text in told_case.protocol(case)]
    blocks = [_bullets(steps), _heading(words("case_h_plan")), _bullets(told_case.registered(case))]
    return [Section(title=words("case_h_protocol"), blocks=tuple(blocks))]


def _claimed(found: Iterable[Said]) -> Block:
    return Block(kind="list", sentences=tuple(map(_sentence, found)))


def _sentence(said: Said) -> Sentence:
    return Sentence(text=said.text.replace("`", ""), claim=said.claim)


def _no_case(words: Words) -> Section:
    because = [words(f"report_because_{k}") for k in (1, 2, 3)]
    take = [words(f"report_take_{k}") for k in (1, 2, 3, 4)]
    return Section(
        title=words("report_retention"),
        blocks=(
            _plain([words("report_retention_because")]),
            _bullets(because),
            _heading(words("report_would_take")),
            _bullets(take),
            _plain([words("report_money")]),
        ),
    )


def _unknown(numbers: Numbers, words: Words) -> Section:
    n = numbers.n_withheld()
    first = "report_unknown_1" if numbers.latest.case is None else "report_unknown_1_case"
    said = [words(first), *(words(f"report_unknown_{k}") for k in (2, 3))]
    said.append(words("report_unknown_4", n=n) if n else words("report_unknown_4_none"))
    return Section(title=words("report_unknown"), blocks=(_bullets(said),))


def _method(numbers: Numbers, words: Words) -> Section:
    limits = {name: numbers.latest.thresholds.get(name, "–") for name in ("score_n", "staying_n")}
    said = [words("report_method_1"), words("report_method_2")]
    said += [words("report_method_3", **limits), words("report_method_4")]
    terms = tuple((words.pick(each.label), words.pick(each.definition), each.formula) for each in catalogue().values())
    return Section(
        title=words("report_method"),
        blocks=(_bullets(said), _heading(words("report_definitions")), Block(kind="terms", terms=terms)),
    )


def _appendix(numbers: Numbers, words: Words) -> Section:
    """Every number of the report, and every programme-wide number of its release."""
    rows = numbers.select(view=PROGRAMME)
    now = readings(rows[rows["release"] == numbers.latest.id])
    now.sort(key=lambda each: (each.metric, [*SIDES, "both"].index(each.side)))
    past = readings(rows[rows["metric"].isin([*HEADLINE, PARTICIPATION])])
    blocks = [_table(now, words("report_appendix_caption", release=numbers.latest.id), words, numbers, "metric")]
    for metric in (*HEADLINE, PARTICIPATION):
        caption = f"{words('report_appendix_trend')}: {metric_name(words, metric)}"
        blocks.append(_table([each for each in past if each.metric == metric], caption, words, numbers, "round"))
    return Section(title=words("report_appendix"), blocks=tuple(blocks))


def _table(found: Iterable[Reading], caption: str, words: Words, numbers: Numbers, by: str) -> Block:
    table = table_of(found, caption, words, numbers, by="metric" if by == "metric" else "round")
    return Block(kind="data", title=caption, table=table)


def _trend(numbers: Numbers, metric: str, words: Words) -> Chart | None:
    return trend(numbers, catalogue()[metric], words).chart


def _drawn(charts: Iterable[Chart | None]) -> list[Block]:
    return [Block(kind="chart", chart=each) for each in charts if each is not None]


def _said(texts: Iterable[str]) -> Block:
    """Findings: every one describes."""
    return Block(kind="list", sentences=tuple(Sentence(text=text, claim=DESCRIBES) for text in texts))


def _plain(texts: Iterable[str]) -> Block:
    return Block(kind="text", sentences=tuple(Sentence(text=text) for text in texts))


def _bullets(texts: Iterable[str]) -> Block:
    return Block(kind="list", sentences=tuple(Sentence(text=text) for text in texts))


def _callout(title: str, texts: Iterable[str]) -> Block:
    return Block(kind="callout", title=title, sentences=tuple(Sentence(text=text) for text in texts))


def _heading(text: str) -> Block:
    return Block(kind="heading", title=text)
