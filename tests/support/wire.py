"""Counts what a browser's page fetches: how many bytes came over the line, by address; none for what it had kept."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Wire:
    """What one page has fetched since it was watched; `bytes` has the addresses that the network answered."""

    addresses: list[str] = field(default_factory=list)
    bytes: dict[str, int] = field(default_factory=dict)
    _open: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.bytes.values())

    def _asked(self, event: Any) -> None:
        self._open[event["requestId"]] = event["request"]["url"]
        self.addresses.append(event["request"]["url"])

    def _finished(self, event: Any) -> None:
        address = self._open.get(event["requestId"])
        if address is not None and event["encodedDataLength"]:
            self.bytes[address] = self.bytes.get(address, 0) + int(event["encodedDataLength"])


def watched(page: Any) -> Wire:
    """Everything that this page of Playwright fetches from now on; headers count."""
    wire, debugger = Wire(), page.context.new_cdp_session(page)
    debugger.send("Network.enable")
    debugger.on("Network.requestWillBeSent", wire._asked)
    debugger.on("Network.loadingFinished", wire._finished)
    return wire
