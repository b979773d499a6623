"""Claims and times jobs; knows no job.

A job whose effect is in the raw store runs inside the transaction that claims it and sets its next time: it
happens once or not at all, whatever dies. A job with effects elsewhere is leased; it must be one that does no
harm when a second worker repeats it after the first died, and says so by being declared `outside`.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Update, delete, insert, or_, select, update

from data.errors import RapportError
from data.store.engine import Engine, StoreError, reading, writing
from data.tables import jobs, ticks
from data.worker import has_died, own_name

START = datetime(2020, 1, 6, tzinfo=UTC)  # a Monday: intervals are counted from here
LEASE = timedelta(minutes=15)
LONGEST = timedelta(hours=1)  # between two tries of a job that fails
KEPT = timedelta(days=30)
DAY = timedelta(days=1)
UNANSWERED = 5.0  # seconds until a store that did not answer is asked again
LONGEST_SLEEP = 30.0  # seconds: a clock that jumps is noticed by then
log = logging.getLogger("rapport.timetable")


@dataclass(frozen=True)
class Job:
    """`run` does the work of one time and says in words what it did ("" for nothing).

    Inside, it gets the connection of the claiming transaction; outside, none. `at` shifts it within its interval,
    as 03:00 within a day.
    """

    name: str
    every: timedelta
    run: Callable[[Connection, datetime], str] | Callable[[datetime], str]
    where: Literal["inside", "outside"]
    at: timedelta = timedelta(0)

    def time_after(self, moment: datetime) -> datetime:
        """Its next time; times missed in between are not made up one by one."""
        passed = (moment - START - self.at) // self.every
        return START + self.at + (passed + 1) * self.every


@dataclass(frozen=True, kw_only=True)
class Done:
    """One job that this worker did, or tried to."""

    job: str
    tick_at: datetime
    said: str
    has_failed: bool = False


def tick(engine: Engine, known: Sequence[Job], clock: Callable[[], datetime], owner: str | None = None) -> list[Done]:
    """Do everything that is due now, once, in the order given; what another worker holds is left to it."""
    owner = owner or own_name()
    _enrol(engine, known, clock())
    done = []
    for job in known:
        found = _inside(engine, job, clock(), owner) if job.where == "inside" else _outside(engine, job, clock, owner)
        if found is not None:
            done.append(found)
    return done


def work(
    engine: Engine,
    known: Sequence[Job],
    *,
    clock: Callable[[], datetime],
    wait: Callable[[float], bool],
    tell: Callable[[Done], None],
) -> None:
    """Do what is due, wait for the next, until `wait` says that it is time to stop. What has begun is finished.

    A store that does not answer for a while, as a database that restarts, is waited for.
    """
    owner = own_name()
    while True:
        try:
            for done in tick(engine, known, clock, owner):
                tell(done)
            ahead = (next_time(engine, known, clock()) - clock()).total_seconds()
        except StoreError as error:
            log.error("the store does not answer: %s", type(error).__name__)
            ahead = UNANSWERED
        if wait(min(max(ahead, 0.05), LONGEST_SLEEP)):
            return


def rehearse(
    engine: Engine,
    jobs_of: Callable[[Callable[[], datetime]], Sequence[Job]],
    *,
    start: datetime,
    end: datetime,
    step: timedelta,
    tell: Callable[[datetime, Done], None],
) -> None:
    """Do what the timetable would do between two times, without waiting: its clock goes in steps."""
    now = start

    def clock() -> datetime:
        return now

    known = jobs_of(clock)
    owner = own_name()
    while now <= end:
        for done in tick(engine, known, clock, owner):
            tell(now, done)
        now += step


def next_time(engine: Engine, known: Sequence[Job], now: datetime) -> datetime:
    """When something is due next; now, where a job never ran."""
    with reading(engine) as connection:
        times = {row.job: row.next_at for row in connection.execute(select(jobs.c.job, jobs.c.next_at))}
    return min((times.get(job.name, now) for job in known), default=now)


@dataclass(frozen=True, kw_only=True)
class State:
    """How a job stands: when it is due, when it was last done, how often it failed since."""

    job: str
    next_at: datetime
    n_failed: int
    last_done_at: datetime | None
    last_said: str | None


def state(engine: Engine) -> list[State]:
    """How every job stands, by name."""
    columns = [jobs.c[name] for name in State.__dataclass_fields__]
    with reading(engine) as connection:
        return [State(**row._mapping) for row in connection.execute(select(*columns).order_by(jobs.c.job))]


def hurry(connection: Connection, name: str, now: datetime) -> None:
    """Something changed that a job should see at the next tick."""
    connection.execute(update(jobs).where(jobs.c.job == name, jobs.c.next_at > now).values(next_at=now))


def _enrol(engine: Engine, known: Sequence[Job], now: datetime) -> None:
    """A job that is new is due at once; one for the night waits for it."""
    with reading(engine) as connection:
        enrolled = set(connection.execute(select(jobs.c.job)).scalars())
    for job in known:
        if job.name not in enrolled:
            try:
                with writing(engine) as connection:
                    next_at = job.time_after(now) if job.every >= DAY else now
                    connection.execute(insert(jobs).values(job=job.name, next_at=next_at, n_failed=0))
            except StoreError:  # another worker was first
                log.debug("%s was enrolled by another worker", job.name)


def _take(connection: Connection, job: Job, now: datetime) -> datetime | None:
    """The time that is due, with the job's row locked; None where it is not, or another worker holds it."""
    query = select(jobs).where(jobs.c.job == job.name)
    row = connection.execute(query.with_for_update(skip_locked=True)).one_or_none()
    if row is None or not _is_free(row, now):
        return None
    tick_at: datetime = row.next_at
    if tick_at > now + job.every:  # the clock was ahead when this was written, and is right now
        tick_at = job.time_after(now - job.every)
    if tick_at > now:
        return None
    known = select(ticks.c.job).where(ticks.c.job == job.name, ticks.c.tick_at == tick_at)
    if connection.execute(known).first() is not None:  # done before the clock went back
        connection.execute(_of(job).values(next_at=job.time_after(now)))
        return None
    return tick_at


def _is_free(row: Any, now: datetime) -> bool:
    """Whether nobody works on the job: not leased, or by a worker that is known to be gone, or for too long."""
    if row.leased_until is None or row.leased_until <= now or row.leased_until > now + 2 * LONGEST:
        return row.owner is None or has_died(row.owner) is not False
    return row.owner is not None and has_died(row.owner) is True


def _inside(engine: Engine, job: Job, now: datetime, owner: str) -> Done | None:
    """Claim, effect and next time in one transaction."""
    if not _is_due(engine, job, now):
        return None
    try:
        with writing(engine) as connection:
            tick_at = _take(connection, job, now)
            if tick_at is None:
                return None
            said = job.run(connection, now)  # type: ignore[call-arg,arg-type]
            _settle(connection, job, tick_at, now, said)
            return Done(job=job.name, tick_at=tick_at, said=said)
    except Exception as error:
        return _failed(engine, job, now, owner, error)


def _outside(engine: Engine, job: Job, clock: Callable[[], datetime], owner: str) -> Done | None:
    """Lease, effect, next time: a worker that dies in between is followed by another when the lease ends."""
    now = clock()
    if not _is_due(engine, job, now):
        return None
    with writing(engine) as connection:
        tick_at = _take(connection, job, now)
        if tick_at is None:
            return None
        connection.execute(_of(job).values(owner=owner, leased_until=now + LEASE))
    try:
        said = job.run(now)  # type: ignore[call-arg,arg-type]
    except Exception as error:
        return _failed(engine, job, clock(), owner, error)
    with writing(engine) as connection:
        held = connection.execute(select(jobs.c.owner).where(jobs.c.job == job.name).with_for_update())
        if held.scalar_one() == owner:
            _settle(connection, job, tick_at, clock(), said)
    return Done(job=job.name, tick_at=tick_at, said=said)


def _is_due(engine: Engine, job: Job, now: datetime) -> bool:
    """A look without the write lock: most ticks find nothing to do."""
    with reading(engine) as connection:
        found = connection.execute(select(jobs.c.next_at).where(jobs.c.job == job.name)).scalar_one_or_none()
    return found is not None and (found <= now or found > now + job.every)


def _settle(connection: Connection, job: Job, tick_at: datetime, now: datetime, said: str) -> None:
    """The key of `ticks` refuses the same time twice, whatever the clocks of two workers say."""
    connection.execute(insert(ticks).values(job=job.name, tick_at=tick_at, done_at=now))
    connection.execute(delete(ticks).where(ticks.c.job == job.name, ticks.c.tick_at < tick_at - KEPT))
    # Where the clock went back, the next time is still later than this one.
    next_at = job.time_after(max(now, tick_at))
    values = {"next_at": next_at, "owner": None, "leased_until": None, "n_failed": 0, "last_done_at": now}
    connection.execute(_of(job).values(**values, **({"last_said": said} if said else {})))


def _failed(engine: Engine, job: Job, now: datetime, owner: str, error: Exception) -> Done:
    """Tried again after a while that grows; the time itself stays due. No failure stops the other jobs."""
    said = str(error) if isinstance(error, RapportError) else type(error).__name__
    log.error("the job %s failed: %s", job.name, said)
    try:
        with writing(engine) as connection:
            query = select(jobs.c.n_failed).where(
                jobs.c.job == job.name, or_(jobs.c.owner.is_(None), jobs.c.owner == owner)
            )
            n_failed = connection.execute(query.with_for_update()).scalar_one_or_none()
            if n_failed is not None:
                wait = min(timedelta(minutes=2 ** min(n_failed, 10)), LONGEST)
                values = {"n_failed": n_failed + 1, "owner": None, "leased_until": now + wait, "last_said": said}
                connection.execute(_of(job).values(values))
    except StoreError as worse:
        log.error("and the store did not take it: %s", type(worse).__name__)
    return Done(job=job.name, tick_at=now, said=said, has_failed=True)


def _of(job: Job) -> Update:
    return update(jobs).where(jobs.c.job == job.name)
