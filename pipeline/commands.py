"""The verbs of this room: run the pipeline, print what is published, verify a release, release comments."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from data import settings as reading_settings
from data.errors import RapportError
from data.settings import Settings
from data.terminal import Json, installation, operator, progress, say, show_json, table
from pipeline.design.commands import design

comments = typer.Typer(help="Comments that people ticked for HR: read, mark, release.", invoke_without_command=True)

programme = typer.Typer(
    help="What a programme decides about its results, before its first round.", no_args_is_help=True
)
release = typer.Typer(help="Releases that are wrong: withdraw them.", no_args_is_help=True)

ProgrammeId = Annotated[str, typer.Argument(metavar="PROGRAMME")]
By = Annotated[str, typer.Option("--by", help="Who reads them; the audit log keeps it.")]


__all__ = ["comments", "design", "programme", "release"]  # groups of verbs; single verbs are found by name

Who = Annotated[str | None, typer.Option("--by", help="Who decides; the audit log keeps it beside the account.")]
Threshold = Annotated[int | None, typer.Option(help="Least distinct people; never below the default.")]
Attributes = Annotated[str | None, typer.Option(help="At most two, comma between; an empty text for none.")]


def run(
    context: typer.Context,
    round_id: Annotated[str | None, typer.Option("--round", metavar="ROUND", help="Only this closed round.")] = None,
    as_json: Json = False,
) -> None:
    """Ingest, validate, score, measure, gate and seal: one release for every closed round without one."""
    from pipeline.jobs import run_due, run_one

    with installation(context) as opened, progress("Releases") as step:
        now = reading_settings.now()
        key = str(opened.settings.secret_key)
        if round_id is None:
            made = run_due(opened.stores, key=key, now=now, progress=step)
        else:
            made = [run_one(opened.stores, round_id, key=key, now=now)]
    if as_json:
        show_json({"releases": made})
    else:
        say("\n".join(f"Sealed {release_id}." for release_id in made) or "Every closed round has its release.")


def published(
    context: typer.Context,
    as_: Annotated[str, typer.Option("--as", help="json or csv")] = "json",
    programme: Annotated[str | None, typer.Option(help="Without one: every programme.")] = None,
) -> None:
    """Exactly what a dashboard viewer may see, from frozen releases."""
    from pipeline.published import as_csv, as_json, open_published

    if as_ not in ("json", "csv"):
        raise RapportError(f"--as expects json or csv, not {as_!r}.")
    with installation(context) as opened:
        numbers = open_published(opened.settings).numbers(programme)
    sys.stdout.write(as_json(numbers) if as_ == "json" else as_csv(numbers))


def verifying(compare_report: Callable[[Settings, bytes], dict[str, Any]]) -> Callable[..., None]:
    """The verb `verify`; what a report says of itself comes from another room."""

    def verify(
        context: typer.Context,
        what: Annotated[
            str | None, typer.Argument(metavar="[RELEASE|FILE]", help="Without one, every release.")
        ] = None,
        as_json: Json = False,
    ) -> None:
        """Rebuild a release and compare; or compare a file of numbers, or a report, with the release it names."""
        from pipeline.jobs import compare_file, file_named, verify_releases

        with installation(context) as opened:
            path = file_named(opened.stores, what)
            if path is not None:
                found = compare_file(opened.stores, opened.settings, path, compare_report)
            else:
                key = str(opened.settings.secret_key)
                found = {"releases": verify_releases(opened.stores, what, key=key), "first_difference": None}
        if as_json:
            show_json(found if path is not None else found["releases"])
        else:
            lines = [f"{name}: {verdict}" for name, verdict in found["releases"].items()] or [
                "There is no release yet."
            ]
            say("\n".join([*lines, *([found["first_difference"]] if found["first_difference"] else [])]))
        if "differs" in found["releases"].values():
            raise typer.Exit(1)

    return verify


@comments.callback()
def list_comments(context: typer.Context, as_json: Json = False) -> None:
    """Without a verb: how many people's comments wait, in steps of five, and what was released."""
    if context.invoked_subcommand is not None:
        return
    from pipeline.comments.releasing import state

    with installation(context) as opened:
        found = state(opened.stores, key=str(opened.settings.secret_key))
    if as_json:
        show_json(found)
        return
    rows = [{**each, "pool": "full" if each["is_full"] else "waiting"} for each in found]
    say(table(rows, ["programme", "people", "needed", "pool"]) if rows else "There is no programme yet.")
    batches = [{**one, "rounds": "–".join(map(str, one["rounds"]))} for each in found for one in each["batches"]]
    if batches:
        say(table(batches, ["batch", "rounds", "people", "state"]))


@comments.command("pool")
def write_pool(context: typer.Context, programme: ProgrammeId, file: Path, by: By = "administrator") -> None:
    """Write a full pool to a CSV file, shuffled and masked. Mark each comment keep or drop; mask what still tells."""
    from pipeline.comments.releasing import write_pool as write

    with installation(context) as opened:
        n = write(
            opened.stores,
            programme,
            file,
            key=str(opened.settings.secret_key),
            by=by,
            now=reading_settings.now(),
        )
    say(f"{file}: {n} comments to read. Masking is not perfect; delete the file after `rapport comments release`.")


@comments.command("release")
def release_comments(
    context: typer.Context,
    programme: ProgrammeId,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    by: By,
) -> None:
    """Freeze what was kept of a marked pool; from then on HR reads it, and it never changes."""
    from pipeline.comments.releasing import release

    with installation(context) as opened:
        key, now = str(opened.settings.secret_key), reading_settings.now()
        made = release(opened.stores, programme, file, key=key, by=by, now=now)
    say(f"Sealed {made.id}: {len(made.comments)} comments of rounds {made.first_round} to {made.last_round}.")


@comments.command("withdraw")
def withdraw_comments(
    context: typer.Context,
    batch: Annotated[str, typer.Argument(metavar="BATCH")],
    reason: Annotated[str, typer.Option(help="Why; HR reads it.")],
    by: By = "administrator",
) -> None:
    """Take a wrong batch of comments out of sight, as a whole and for good."""
    from pipeline.comments.releasing import withdraw

    with installation(context) as opened:
        withdraw(opened.stores, batch, reason=reason, by=by, now=reading_settings.now())
    say(f"{batch} is withdrawn; its comments are never released again.")


@programme.command("thresholds")
def set_thresholds(
    context: typer.Context,
    programme_id: ProgrammeId,
    score_n: Threshold = None,
    staying_n: Threshold = None,
    two_way_n: Threshold = None,
    comment_n: Threshold = None,
    attributes: Attributes = None,
    by: Who = None,
    as_json: Json = False,
) -> None:
    """How many people a result needs, and the attributes it is reported by. Without an option: what holds."""
    from pipeline.deciding import decided, keep_thresholds
    from pipeline.forecast_text import decided_data, decided_text

    told = {"score_n": score_n, "staying_n": staying_n, "two_way_n": two_way_n, "comment_n": comment_n}
    changed: dict[str, object] = {name: n for name, n in told.items() if n is not None}
    if attributes is not None:
        changed["attributes"] = [name.strip() for name in attributes.split(",") if name.strip()]
    with installation(context) as opened:
        if changed:
            keep_thresholds(opened.stores, programme_id, changed, by=operator(by), now=reading_settings.now())
        found = decided(opened.stores, programme_id)
    if as_json:
        show_json(decided_data(found))
    else:
        say(decided_text(found))


@programme.command("groups")
def set_groups(
    context: typer.Context,
    programme_id: ProgrammeId,
    file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False, help="A TOML of groups.")] = None,
    propose: Annotated[bool, typer.Option("--propose", help="Print a proposal as TOML; nothing is kept.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Keep the proposal: HR consents to what it merges.")] = False,
    by: Who = None,
    as_json: Json = False,
) -> None:
    """Reporting groups: small departments under one name. Without a file or option: what holds."""
    from pipeline.deciding import decided, keep_groups, proposals, read_groups
    from pipeline.forecast_text import decided_data, decided_text, proposal_data, proposal_toml

    if propose + accept + (file is not None) > 1:
        raise RapportError("Say one of FILE, --propose and --accept.")
    now = reading_settings.now()
    with installation(context) as opened:
        offered = proposals(opened.stores, programme_id, now.date()) if propose or accept else []
        if file is not None or accept:
            groups = read_groups(file) if file is not None else {each.attribute: each.mapping for each in offered}
            keep_groups(opened.stores, programme_id, groups, by=operator(by), now=now)
        found = decided(opened.stores, programme_id)
    if as_json:
        show_json([proposal_data(each) for each in offered] if propose else decided_data(found))
    else:
        say(proposal_toml(offered) if propose else decided_text(found))


@programme.command("case")
def set_case(
    context: typer.Context,
    programme_id: ProgrammeId,
    file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False, help="A TOML; see README.")] = None,
    by: Who = None,
) -> None:
    """The business case: to whom mentoring was offered, and own costs. Without a file: what holds."""
    from pipeline.case import case_kept, keep_case, read_case_file

    with installation(context) as opened:
        if file is not None:
            told, now = read_case_file(file), reading_settings.now()
            keep_case(opened.stores, programme_id, told, by=operator(by), now=now)
        show_json(case_kept(opened.stores, programme_id))


def forecasting(forms_dealt: Callable[[], Any]) -> Callable[..., None]:
    """The verb `forecast`; how a rotation deals its forms comes from another room."""

    def forecast(
        context: typer.Context,
        programme_id: Annotated[str | None, typer.Argument(metavar="PROGRAMME")] = None,
        response: Annotated[float, typer.Option(min=0.01, max=1.0, help="The share of people taken to answer.")] = 0.7,
        as_json: Json = False,
    ) -> None:
        """What can ever be shown at this size, how precisely, how likely; and groups that are large enough."""
        from pipeline.deciding import outlook
        from pipeline.forecast_text import outlook_data, outlook_text

        with installation(context) as opened:
            today = reading_settings.now().date()
            found = outlook(opened.stores, programme_id, dealt=forms_dealt(), response=response, today=today)
        if as_json:
            show_json(outlook_data(found))
        else:
            say(outlook_text(found))

    return forecast


@release.command("withdraw")
def withdraw_release(
    context: typer.Context,
    release_id: Annotated[str, typer.Argument(metavar="RELEASE")],
    reason: Annotated[str, typer.Option(help="Why; everyone who sees releases reads it.")],
    by: Who = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask on a terminal.")] = False,
) -> None:
    """Take a wrong release out of sight, for good. It is not computed again, and later ones still count it."""
    from pipeline.jobs import withdraw

    with installation(context) as opened:
        if sys.stdin.isatty() and not yes:
            typer.confirm(
                f"Withdraw {release_id}? This cannot be taken back, and no other takes its place.", abort=True
            )
        withdraw(opened.stores, release_id, reason=reason, by=operator(by), now=reading_settings.now())
    say(
        f"{release_id} is withdrawn: no page, report or download shows it any more. "
        "Its round gets no other release; the reason stands on the page Releases."
    )


def demonstrate_attack(
    seed: Annotated[int, typer.Option(help="Another number makes another programme.")] = 7,
    language: Annotated[str, typer.Option(help="en or de")] = "en",
    out: Annotated[Path | None, typer.Option(help="A file for the page; without it, it is printed.")] = None,
) -> None:
    """What an attacker proves of made-up answers behind a plain threshold, and behind the gate: a page for people."""
    from pipeline.demonstration.demonstrate import demonstrate
    from pipeline.demonstration.page import languages, render
    from pipeline.run import CODE_VERSION

    if language not in languages():
        raise RapportError(f"--language expects {' or '.join(languages())}, not {language!r}.")
    with progress("Attack") as step:
        found = demonstrate(seed, progress=step)
    page = render(found, language=language, version=CODE_VERSION)
    if out is None:
        sys.stdout.write(page)
    else:
        out.write_text(page, encoding="utf-8")
        say(
            f"{out}: a plain threshold gives {found.plain.n_answers} of {found.n_answers} answers away, "
            f"the gate {found.gate.n_answers}."
        )
