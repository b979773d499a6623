"""Packs an office file so that the same parts give the same bytes, and unpacks one that may be hostile."""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping

EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first time that a ZIP can say
FIRST = "[Content_Types].xml"  # readers that stream expect the list of parts before the parts
MOST_PARTS, MOST_BYTES = 5_000, 60_000_000
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what office programs write; others can unpack without bounds
FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def steady(content: bytes) -> bytes:
    """The same parts, in one order, without a clock.

    Stored and not squeezed: another version of zlib would squeeze to other bytes, and a report is verified by its
    bytes also years later and elsewhere.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(packed, "w") as kept:
        for name in sorted(given.namelist(), key=lambda each: (each != FIRST, each)):
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.create_system = 3
            entry.external_attr = 0o600 << 16
            kept.writestr(entry, given.read(name), zipfile.ZIP_STORED)
    return packed.getvalue()


def parts_of(content: bytes) -> Mapping[str, bytes]:
    """A file's parts by name; none where it is no ZIP, or would be too large unpacked."""
    found: dict[str, bytes] = {}
    left = MOST_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as given:
            entries = given.infolist()
            if len(entries) > MOST_PARTS:
                return {}
            for entry in entries:
                if entry.compress_type in PLAIN:
                    with given.open(entry) as part:
                        found[entry.filename] = part.read(left + 1)
                    left -= len(found[entry.filename])
                if left < 0:
                    return {}
    except FAULTS:
        return {}
    return found


def clean(text: str) -> str:
    """Without the signs that XML cannot hold."""
    return NOT_IN_XML.sub("", text)
