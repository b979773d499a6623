"""The front door: mounts each room's verbs and composes those that cross rooms; computes nothing."""

import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

import dashboard.commands
import data.commands
import pipeline.commands
import surveys.commands
from data.errors import RapportError
from data.settings import refuse_taken_port
from data.terminal import Json, Moment, installation, moment, progress, say, show_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.settings import Settings
    from data.store.engine import Stores
    from data.timetable import Done, Job

DEMO_ACCOUNTS = {"hr": "cleo@demo.example", "leader": "dan@demo.example"}

app = typer.Typer(
    name="rapport",
    help="Tells whether a mentoring programme works, without anyone reading what one person said.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def choose_home(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Where state lives; RAPPORT_HOME says it too.")] = None,
) -> None:
    """Every verb works on one home."""
    context.obj = home


app.command("init")(data.commands.init)
app.command("quarantine")(data.commands.quarantine)
app.command("backup")(data.commands.backup)
app.command("restore")(data.commands.restore)
app.command("doctor")(data.commands.doctor)
app.add_typer(data.commands.account, name="account")
app.add_typer(data.commands.importing, name="import")
data.commands.importing.command("answers")(surveys.commands.import_answers)
app.add_typer(surveys.commands.rounds, name="rounds")
app.add_typer(surveys.commands.mail, name="mail")
app.command("run")(pipeline.commands.run)
app.command("published")(pipeline.commands.published)
app.command("verify")(pipeline.commands.verifying(dashboard.commands.compare_report))
app.add_typer(pipeline.commands.comments, name="comments")
app.add_typer(pipeline.commands.programme, name="programme")
app.add_typer(pipeline.commands.release, name="release")
app.command("forecast")(pipeline.commands.forecasting(surveys.commands.forms_dealt))
app.add_typer(pipeline.commands.design, name="design")
app.command("demonstrate-attack")(pipeline.commands.demonstrate_attack)
app.command("report")(dashboard.commands.report)


# --- serve ---------------------------------------------------------------------------------------


@app.command()
def serve(
    context: typer.Context,
    only: Annotated[str | None, typer.Option(help="answers or dashboard; without it both, and the timetable.")] = None,
) -> None:
    """The answering pages, the dashboard and the timetable, until Ctrl-C."""
    servers = {"answers": surveys.commands.serve, "dashboard": dashboard.commands.serve}
    if only is not None:
        if only not in servers:
            raise RapportError(f"--only expects answers or dashboard, not {only!r}.")
        with installation(context) as opened:
            settings = opened.settings
        refuse_taken_port(settings, f"{only}_port")
        servers[only](settings)
        return
    with installation(context) as opened:
        settings = opened.settings
    say(f"Dashboard: http://{settings.host}:{settings.dashboard_port}/")
    say(f"Answering pages: {settings.public_answers_url}/")
    _run_side_by_side(settings)


def _run_side_by_side(settings: "Settings") -> None:
    """Processes of their own: a hole in one server is not a hole in the other. All end together."""
    for name in ("answers", "dashboard"):
        refuse_taken_port(settings, f"{name}_port")
    command = [sys.executable, "-m", "rapport", "--home", str(settings.home)]
    verbs = (["serve", "--only", "answers"], ["serve", "--only", "dashboard"], ["work"])
    running = [subprocess.Popen([*command, *verb]) for verb in verbs]  # noqa: S603 - our own program
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while all(process.poll() is None for process in running):
            time.sleep(0.2)
    except KeyboardInterrupt:
        say("Stopping.")
    finally:
        for process in running:
            process.terminate()
        for process in running:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """What it was doing can be done again; nothing that it acknowledged is lost."""
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# --- timetable -----------------------------------------------------------------------------------


@app.command()
def tick(context: typer.Context, now: Moment = None, as_json: Json = False) -> None:
    """One step of the timetable: everything that is due, once. This is what cron runs."""
    import data.timetable
    from data import settings as reading_settings

    at = moment(now, "--now")
    with installation(context) as opened:
        clock = reading_settings.now if at is None else lambda: at
        done = data.timetable.tick(opened.stores.raw, _jobs(opened.stores, opened.settings, clock), clock)
    if as_json:
        show_json([{"job": each.job, "said": each.said, "failed": each.has_failed} for each in done])
    else:
        say("\n".join(_line(each) for each in done) or "Nothing is due.")
    if any(each.has_failed for each in done):
        raise typer.Exit(1)


@app.command()
def work(context: typer.Context) -> None:
    """The timetable, until Ctrl-C or SIGTERM; what has begun is finished."""
    import threading

    import data.jobs
    import data.timetable
    from data import settings as reading_settings

    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    clock = reading_settings.now
    with installation(context) as opened:
        known = _jobs(opened.stores, opened.settings, clock)
        say(f"{len(known)} jobs; the timetable runs.")
        wait = data.jobs.until_ordered(opened.stores, stop.wait, clock)
        data.timetable.work(opened.stores.raw, known, clock=clock, wait=wait, tell=_tell)


@app.command()
def rehearse(
    context: typer.Context,
    start: Annotated[str, typer.Option("--from", help="ISO time at which the rehearsal's clock starts.")],
    until: Annotated[str, typer.Option(help="ISO time at which it ends.")],
    minutes: Annotated[int, typer.Option(min=1, help="How far the clock moves from one look to the next.")] = 60,
) -> None:
    """What the timetable would do between two times, done now, without waiting: rounds, mails, releases.

    For an installation that is not in use: what it sends is sent.
    """
    import data.timetable

    first, last = moment(start, "--from"), moment(until, "--until")
    if last <= first:
        raise RapportError("A rehearsal ends after it starts; --until comes after --from.")
    with installation(context) as opened:
        surveys.commands.refuse_rehearsal(opened.settings)
        data.timetable.rehearse(
            opened.stores.raw,
            lambda clock: _jobs(opened.stores, opened.settings, clock),
            start=first,
            end=last,
            step=timedelta(minutes=minutes),
            tell=lambda now, done: say(f"{now:%Y-%m-%d %H:%M} {_line(done)}") if done.said else None,
        )


def _jobs(stores: "Stores", settings: "Settings", clock: "Callable[[], datetime]") -> "list[Job]":
    """Every room's jobs, in the order in which one tick does them."""
    import dashboard.jobs
    import data.jobs
    import pipeline.jobs
    import surveys.jobs

    carriers = {
        **data.jobs.carriers(stores),
        **surveys.jobs.carriers(stores),
        **dashboard.jobs.carriers(settings),
    }
    return [
        data.jobs.orders_job(stores, carriers, then=[surveys.jobs.SHOW, pipeline.jobs.SHOW]),
        *surveys.jobs.jobs(stores, settings, clock),
        *pipeline.jobs.jobs(stores, settings),
        *dashboard.jobs.jobs(settings, surveys.jobs.deliver(settings), surveys.jobs.tell(settings)),
        *data.jobs.jobs(stores, settings),
    ]


def _tell(done: "Done") -> None:
    if done.said:
        say(_line(done))


def _line(done: "Done") -> str:
    return f"{done.job}: {'failed, ' if done.has_failed else ''}{done.said or 'nothing to do'}"


# --- demo ----------------------------------------------------------------------------------------


@app.command()
def demo(
    context: typer.Context,
    pairings: Annotated[int, typer.Option(min=10, max=2000)] = 120,
    rounds: Annotated[int, typer.Option(min=1, max=12)] = 6,
    seed: int = 7,
    careers: Annotated[bool, typer.Option("--careers", help="A second, larger programme over several years.")] = False,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Make it, print the sign-ins, and stop.")] = False,
) -> None:
    """An example company with true effects: imported, answered, computed, and served."""
    import data.jobs

    settings, stores = data.jobs.prepare(context.obj)
    card = settings.home / "demo-card.txt"
    if not card.exists():
        data.jobs.refuse_unless_empty(stores)
        _make_demo(settings, stores, pairings=pairings, rounds=rounds, seed=seed, careers=careers)
        card.write_text(_card(settings, stores), encoding="utf-8")
        card.chmod(0o600)
    stores.dispose()
    say(card.read_text(encoding="utf-8"))
    if not no_serve:
        say("Serving both. Ctrl-C stops them.")
        _run_side_by_side(settings)


def _make_demo(settings: "Settings", stores: "Stores", *, pairings: int, rounds: int, seed: int, careers: bool) -> None:
    import numpy as np

    import data.demo.goals
    import data.demo.team
    import data.jobs
    import pipeline.jobs
    import surveys.demo
    from data import settings as reading_settings
    from data.demo import organisation
    from data.demo.answering import Respondents

    rng = np.random.default_rng(seed)
    now = reading_settings.now()
    size = max(2000, 16 * pairings)
    say(f"Making a company of {size} people with {pairings} pairings …")
    company = organisation.make(pairings=pairings, today=now.date(), rounds=rounds, rng=rng, size=size)
    tables = {
        "people": company.people,
        "pairings": company.pairings,
        "employment": company.employment,
        "engagement": company.engagement,
    }
    for kind, report in data.jobs.import_tables(settings, stores, settings.home / "demo-files", tables).items():
        say(f"  {kind}: {report.accepted} rows imported, {report.quarantined} quarantined")
    data.demo.goals.set_goals(stores, rng)
    days = organisation.round_days(now.date(), rounds)
    surveys.demo.answer_rounds(stores, settings.home / "demo-files", days, Respondents(rng), say)
    data.demo.team.live_on(stores, surveys.demo.PROGRAMME, now)
    pipeline.jobs.decide_case(stores, "mentoring", organisation.CASE, by="the demo", now=reading_settings.now())
    if careers:
        _add_careers(settings, stores, now, rng)
    say("Computing and sealing one release a round …")
    with progress("Releases") as step:
        pipeline.jobs.run_due(stores, key=str(settings.secret_key), now=reading_settings.now(), progress=step)


def _add_careers(settings: "Settings", stores: "Stores", now: datetime, rng: Any) -> None:
    """A programme over four years in a company of 20,000: large enough for a verdict on retention."""
    import data.demo.team
    import data.demo.workforce_tables as workforce
    import data.jobs
    import pipeline.jobs
    import surveys.demo
    from data.demo.answering import Respondents

    say("Making a second programme over four years among 20,000 people …")
    company = workforce.make_workforce(today=now.date(), rng=rng)
    files = settings.home / "demo-files" / "careers"
    for kind, report in data.jobs.import_tables(settings, stores, files, company.files()).items():
        say(f"  {kind}: {report.accepted} rows imported, {report.quarantined} quarantined")
    decided = workforce.case_decided(company)
    pipeline.jobs.decide_case(stores, workforce.PROGRAMME, decided, by="the demo", now=now)
    with progress("Answers") as step:
        step(0, 1)
        closes_on = company.ends - timedelta(weeks=4)  # the smaller programme is the newer one, and shown first
        n_answers = surveys.demo.answer_kickoff(stores, workforce.PROGRAMME, closes_on, Respondents(rng))
        step(1, 1)
    data.demo.team.live_on(stores, workforce.PROGRAMME, now)
    say(f"  {workforce.PROGRAMME}-1 (kickoff): {n_answers} answered")


def _card(settings: "Settings", stores: "Stores") -> str:
    """What a person needs to try the demo: two addresses, two sign-ins, two links."""
    import surveys.jobs
    from data import settings as reading_settings

    now = reading_settings.now()
    passwords = {role: data.commands.add_account(settings, email, role, None) for role, email in DEMO_ACCOUNTS.items()}
    open_round = surveys.jobs.open_rounds(stores, now)[-1]
    links = surveys.jobs.make_links(stores, settings, open_round, now)
    surveys.commands.write_links(settings.home / "demo-links.csv", links)
    by_name = {link.name: link.url for link in links}
    return "\n".join(
        [
            "",
            f"Dashboard           http://{settings.host}:{settings.dashboard_port}/",
            f"Answering pages     {settings.public_answers_url}/",
            "",
            *(f"Sign in as {role:8} {email}  {passwords[role]}" for role, email in DEMO_ACCOUNTS.items()),
            "",
            f"Answer as Ben, mentee   {by_name['Ben Lindqvist']}",
            f"Answer as Ada, mentor   {by_name['Ada Okafor']}",
            "",
            f"Everybody's links: {settings.home / 'demo-links.csv'}",
            "",
        ]
    )


def main() -> None:
    """Run a verb; a RapportError is one sentence on stderr and exit code 1."""
    try:
        get_command(app)(standalone_mode=True)
    except RapportError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
