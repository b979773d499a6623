"""A report's file is what this installation writes of the release it names, or it differs and says where."""

import io
import zipfile
from pathlib import Path

import pytest

from dashboard.reports.compare import compare
from dashboard.reports.office_zip import parts_of
from dashboard.reports.write import write
from data.errors import RapportError
from data.settings import Settings
from data.store.engine import Stores, writing
from data.store.releases import withdraw_release
from pipeline.published import PublishedStore, open_published
from tests.conftest import KEY
from tests.dashboard.made_releases import NOW, make_release

ORGANISATION = "Example Ltd"


@pytest.fixture
def made(sqlite_stores: Stores, home: Path) -> tuple[PublishedStore, list[str]]:
    ids = [make_release(sqlite_stores, number, key=KEY) for number in (1, 2)]
    return open_published(Settings(home=home, secret_key=KEY)), ids


def written(published: PublishedStore, out: Path, kind: str = "html", language: str = "en") -> bytes:
    (path,) = write(published, organisation=ORGANISATION, programme_id=None, language=language, formats=[kind], out=out)
    return path.read_bytes()


def held(published: PublishedStore, content: bytes) -> tuple[dict[str, str], str]:
    found = compare(published, content, organisation=ORGANISATION)
    return found["releases"], found["first_difference"] or ""


@pytest.mark.parametrize(
    ("kind", "language"), [("html", "en"), ("html", "de"), ("pdf", "de"), ("pptx", "de"), ("xlsx", "de")]
)
def test_a_report_as_written_is_identical_and_stays_so_after_the_next_round(
    made: tuple[PublishedStore, list[str]], sqlite_stores: Stores, tmp_path: Path, kind: str, language: str
) -> None:
    published, (_, second) = made
    content = written(published, tmp_path, kind, language)
    make_release(sqlite_stores, 3, key=KEY)
    assert held(published, content) == ({second: "identical"}, "")
    assert held(published, content + b"\n")[0] == {second: "differs"}


def test_a_forged_number_differs_and_is_named(made: tuple[PublishedStore, list[str]], tmp_path: Path) -> None:
    published, (_, second) = made
    content = written(published, tmp_path)
    forged = content.replace(b"<td>61</td>", b"<td>81</td>", 1)
    assert forged != content
    verdicts, said = held(published, forged)
    assert verdicts == {second: "differs"}
    assert said.startswith(f"{second}: the file says “")
    assert "81" in said.split(", the release")[0]


def test_a_drawing_alone_differs_too(made: tuple[PublishedStore, list[str]], tmp_path: Path) -> None:
    published, (_, second) = made
    forged = written(published, tmp_path).replace(b"<path ", b"<path data-forged='1' ", 1)
    verdicts, said = held(published, forged)
    assert verdicts == {second: "differs"}
    assert "only its mark-up or a drawing differs" in said


def saved_again(content: bytes, old: bytes, new: bytes) -> bytes:
    """As an office program saves a file: every part squeezed; with one text changed in all of them."""
    saved = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in given.namelist():
            kept.writestr(name, given.read(name).replace(old, new))
    return saved.getvalue()


@pytest.mark.parametrize(("kind", "language"), [("pptx", "en"), ("xlsx", "de")])
def test_a_number_changed_in_an_office_program_differs_and_is_named(
    made: tuple[PublishedStore, list[str]], tmp_path: Path, kind: str, language: str
) -> None:
    published, (_, second) = made
    content = written(published, tmp_path, kind, language)
    forged = saved_again(content, b"(57 ", b"(87 ")
    assert forged != saved_again(content, b"", b"")
    verdicts, said = held(published, forged)
    assert verdicts == {second: "differs"}
    theirs, ours = said.split(", the release")
    assert "(87 " in theirs
    assert "(57 " in ours
    verdicts, said = held(published, saved_again(content, b"\x00", b"\x00"))
    assert verdicts == {second: "differs"}
    assert "only its mark-up or a drawing differs" in said


def test_a_cell_changed_in_a_spreadsheet_is_named(made: tuple[PublishedStore, list[str]], tmp_path: Path) -> None:
    published, (_, second) = made
    forged = saved_again(written(published, tmp_path, "xlsx"), b"<v>57</v>", b"<v>87</v>")
    verdicts, said = held(published, forged)
    assert verdicts == {second: "differs"}
    assert said.startswith(f"{second}: the file says “87”, the release “57”")


@pytest.mark.parametrize("kind", ["pptx", "xlsx"])
def test_a_hostile_office_file_is_only_compared(
    made: tuple[PublishedStore, list[str]], tmp_path: Path, kind: str
) -> None:
    """It is cut off, is a bomb, or has a part that nothing can unpack; the release's id stands in it."""
    published, (_, second) = made
    content = written(published, tmp_path, kind)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("ppt/slides/slide1.xml", b"0" * 200_000_000)
        packed.writestr("docProps/core.xml", second)
    for hostile in (
        content[: len(content) // 2],
        content.replace(b"<a:t>", b"<a:T>"),
        bomb.getvalue() + second.encode(),
    ):
        assert parts_of(hostile) in ({}, parts_of(content)) or len(parts_of(hostile)) < 5_000
        assert held(published, hostile)[0] == {second: "differs"}
    assert parts_of(bomb.getvalue()) == {}


def test_a_withdrawn_release_is_named_as_the_reason(
    made: tuple[PublishedStore, list[str]], sqlite_stores: Stores, tmp_path: Path
) -> None:
    published, (first, second) = made
    content = written(published, tmp_path)
    with writing(sqlite_stores.published) as connection:
        withdraw_release(connection, first, reason="wrong", now=NOW)
    verdicts, said = held(published, content)
    assert verdicts == {second: "differs"}
    assert f"{first} was withdrawn" in said
    with writing(sqlite_stores.published) as connection:
        withdraw_release(connection, second, reason="wrong", now=NOW)
    assert "it is withdrawn or its seal does not hold" in held(published, content)[1]


@pytest.mark.parametrize(
    "content",
    [b"<!DOCTYPE html><html><body>no release</body></html>", b"%PDF-1.7\n", b"<html" + b"<" * 3_000_000],
)
def test_a_file_that_names_no_release_is_refused(made: tuple[PublishedStore, list[str]], content: bytes) -> None:
    with pytest.raises(RapportError, match="names no release of this installation"):
        held(made[0], content)


def test_a_hostile_report_is_only_compared(made: tuple[PublishedStore, list[str]]) -> None:
    """It names a release and then a million tags that never end."""
    published, (_, second) = made
    content = f"<!DOCTYPE html><html>{second}".encode() + b"<a " * 1_000_000
    verdicts, said = held(published, content)
    assert verdicts == {second: "differs"}
    assert len(said) < 600
