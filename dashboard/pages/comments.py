"""Shows the comments that a person released, mixed and without a name, to HR only: that is what people ticked."""

import pandas as pd
from dash import html

from dashboard import parts
from dashboard.parts import Part
from dashboard.visit import NotAvailableError, Visit
from pipeline.published import Comments


def title(visit: Visit) -> str:
    return _for_hr(visit).words("comments")


def shown(visit: Visit) -> pd.DataFrame:
    """No released number stands on this page."""
    return _for_hr(visit).released.rows.head(0)


def show(visit: Visit) -> list[Part]:
    words = _for_hr(visit).words
    newest_first = sorted(visit.comments, key=lambda each: -each.number)
    batches = [part for each in newest_first for part in _batch(each, visit)]
    return [
        html.H1(words("comments")),
        html.P(words("comments_lead"), className="verdict"),
        *(batches or [parts.notice(words("comments_none"), words("comments_none_text"), level=2)]),
    ]


def _for_hr(visit: Visit) -> Visit:
    if not visit.is_hr:
        raise NotAvailableError
    return visit


def _batch(each: Comments, visit: Visit) -> list[Part]:
    words = visit.words
    span = {"first": each.first_round, "last": each.last_round}
    heading = html.H2(words("comments_of" if each.first_round < each.last_round else "comments_of_one", **span))
    if not each.is_shown:
        gone = (
            words("state_withdrawn", reason=each.withdrawn_reason or "–") if each.withdrawn_at else words("seal_broken")
        )
        return [heading, html.P(gone, className="withheld")]
    said = [html.Li(html.P(text, dir="auto")) for text in each.comments]
    n = words("comments_n", n=words.at_least(each.n_people))
    return [heading, html.P([n, " ", html.Code(each.id)], className="note"), html.Ul(said, className="comments")]
