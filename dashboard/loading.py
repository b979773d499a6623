"""Gives pages their scripts and styles: packed once, sent from memory, under addresses made of their content."""

import gzip
import hashlib
import json
import mimetypes
import pkgutil
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import dash
from dash.fingerprint import build_fingerprint, check_fingerprint
from flask import Response, request

ROOM = Path(__file__).resolve().parent
OURS, DASH = "/assets/", "/_dash-component-suites/"
# README.md says where these are from.
PLOTLY, REGENERATOR = "plotly-basic.min.js", "regenerator-runtime.js"
FOREVER = "private, max-age=31536000, immutable"
# Our own start of Dash's renderer: `page.js` brings the hooks.
RENDERER = "var renderer = new DashRenderer(window.rapport.hooks);"
UNUSED = "/dash_table/"  # its table, which no page has
# Of what Dash adds for old browsers its own scripts need this only.
INSTEAD = {"/deps/polyfill@": OURS + REGENERATOR}
# Dash would fetch this late, when it meets the first chart, and anew each time.
WITH = {"dcc/dash_core_components.js": "dcc/async-graph.js"}
SCRIPT = re.compile(r'<script src="([^"]+)"></script>')
STYLE = re.compile(rf'href="({OURS}[^"?]+)[^"]*"')


@dataclass(frozen=True, kw_only=True)
class File:
    """One script, style or picture as it is sent."""

    content: bytes
    packed: bytes
    digest: str
    mimetype: str


@cache
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


class Loading:
    """The files of one dashboard. `suites` names those that Dash may serve: package → paths."""

    def __init__(self, suites: Mapping[str, Collection[str]]) -> None:
        found = [path for path in (ROOM / "assets").iterdir() if path.is_file()]
        found += [ROOM / "vendored" / name for name in (PLOTLY, REGENERATOR)]
        self._assets = {OURS + path.name: path for path in found}
        self._suites = suites
        self._files: dict[str, File] = {}

    def address(self, path: str) -> str:
        """The address of a file: another one as soon as its content is another."""
        file = self._file(path)
        if file is None:
            raise FileNotFoundError(path)
        if path.startswith(OURS):
            return f"{path}?m={file.digest}"
        return str(build_fingerprint(path, dash.__version__, file.digest))

    def pieces(self, pieces: Mapping[str, str]) -> dict[str, str]:
        """What Dash puts into a page, with our addresses, and without what no page needs."""
        own = {
            "scripts": SCRIPT.sub(lambda found: self._scripts(found[1]), pieces["scripts"]),
            "css": STYLE.sub(lambda found: f'href="{self.address(found[1])}"', pieces["css"]),
            "config": self._config(pieces["config"]),
        }
        return {**pieces, **own, "plotly": self.address(OURS + PLOTLY), "icon": self.address(OURS + "icon.svg")}

    def _scripts(self, address: str) -> str:
        """What stands in place of one of Dash's script tags."""
        path, _ = _read(address.partition("?")[0], "")
        if UNUSED in path:
            return ""
        needed = [next((other for part, other in INSTEAD.items() if part in path), path)]
        needed += [path.replace(first, then) for first, then in WITH.items() if path.endswith(first)]
        return "\n".join(f'<script src="{self.address(each)}"></script>' for each in needed)

    def _config(self, config: str) -> str:
        """Tell Dash where plotly.js is: it fetches it when the first chart is on the page, after the words."""
        opening, _, rest = config.partition(">")
        told = {**json.loads(rest.removesuffix("</script>")), "serve_locally": False}
        return f"{opening}>{json.dumps({**told, 'plotlyjs_url': self.address(OURS + PLOTLY)})}</script>"

    def answer(self) -> Response | None:
        """The file that a request asks for; None where it asks for something else."""
        path, digest = _read(request.path, request.args.get("m", ""))
        file = self._file(path) if request.method in ("GET", "HEAD") else None
        if file is None:
            return None
        is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
        response = Response(file.packed if is_packed else file.content, mimetype=file.mimetype)
        response.headers["Vary"] = "Accept-Encoding"
        if is_packed:
            response.headers["Content-Encoding"] = "gzip"
        if digest == file.digest:
            response.headers["Cache-Control"] = FOREVER
        return response

    def _file(self, path: str) -> File | None:
        if path not in self._files:
            content = self._content(path)
            if content is None:
                return None
            digest = hashlib.sha256(content).hexdigest()[:16]
            mimetype = mimetypes.guess_type(path)[0] or "application/octet-stream"
            self._files[path] = File(content=content, packed=_packed(content), digest=digest, mimetype=mimetype)
        return self._files[path]

    def _content(self, path: str) -> bytes | None:
        if path in self._assets:
            return self._assets[path].read_bytes()
        package, _, name = path.removeprefix(DASH).partition("/")
        is_known = path.startswith(DASH) and name in self._suites.get(package, ())
        return pkgutil.get_data(package, name) if is_known else None


def _read(address: str, asked: str) -> tuple[str, str]:
    """A file's path and the digest that its address names."""
    if not address.startswith(DASH):
        return address, asked
    path, is_fingerprinted = check_fingerprint(address)
    return path, address.rpartition("/")[2].split(".")[1].rpartition("m")[2] if is_fingerprinted else ""
