"""Counts requests in memory, so that nobody guesses links or floods one while a whole company answers at once.

Hundreds of people share one corporate address: an address is held back only for links that do not exist,
never for valid ones; each link has a limit of its own.
"""

from collections import OrderedDict
from datetime import datetime
from ipaddress import IPv6Address, ip_address

from starlette.requests import HTTPConnection

WINDOW_SECONDS = 60
UNKNOWN_PER_ADDRESS = 60
REQUESTS_PER_LINK = 120
MOST_KEYS = 20_000


class Limit:
    """At most so many of one key a minute; forgets the key not seen for longest where there are too many."""

    def __init__(self, per_window: int, most_keys: int = MOST_KEYS) -> None:
        self._per_window = per_window
        self._most_keys = most_keys
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def count(self, key: str, now: datetime) -> int:
        """Count one; the seconds to wait where it was one too many, else 0."""
        moment = now.timestamp()
        since, n_before = self._seen.get(key, (moment, 0))
        if not 0 <= moment - since < WINDOW_SECONDS:
            since, n_before = moment, 0
        self._seen[key] = (since, n_before + 1)
        self._seen.move_to_end(key)
        if len(self._seen) > self._most_keys:
            self._seen.popitem(last=False)
        return max(int(since + WINDOW_SECONDS - moment), 1) if n_before >= self._per_window else 0

    def __len__(self) -> int:
        return len(self._seen)


class Limits:
    """The limits of one server."""

    def __init__(self) -> None:
        self.unknown = Limit(UNKNOWN_PER_ADDRESS)
        self.link = Limit(REQUESTS_PER_LINK)


def address_of(request: HTTPConnection, *, behind_proxy: bool) -> str:
    """Who asks. Behind a declared proxy the last hop of X-Forwarded-For: the one that our proxy wrote itself."""
    direct = request.client.host if request.client else ""
    hops = ",".join(request.headers.getlist("x-forwarded-for")) if behind_proxy else ""
    return _network(hops.rpartition(",")[2].strip() or direct)


def _network(text: str) -> str:
    """An IPv6 address by its /64, which one customer has as a whole."""
    try:
        address = ip_address(text)
    except ValueError:
        return text[:64]
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return address.exploded[:19]
    return str(address)
