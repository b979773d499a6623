"""Sets what browsers may load and keep: a strict content policy, no caching of numbers, gzip for assets."""

import gzip
from collections.abc import Sequence
from threading import Lock

from flask import Flask, Response, request

ASSETS = ("/_dash-component-suites/", "/assets/")
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


def policy(script_hashes: Sequence[str]) -> str:
    """Everything from here only; Plotly sets styles on its drawings, so styles (not scripts) may be inline."""
    scripts = " ".join(["'self'", *script_hashes])
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "object-src 'none'",
        ]
    )


def protect(server: Flask, script_hashes: Sequence[str], *, is_secure: bool) -> None:
    """Put the headers on every response."""
    always = {**FIXED, "Content-Security-Policy": policy(script_hashes)}
    if is_secure:
        always["Strict-Transport-Security"] = "max-age=31536000"
    packed: dict[str, bytes] = {}
    lock = Lock()

    @server.after_request
    def finish(response: Response) -> Response:
        response.headers.update(always)
        is_asset = request.path.startswith(ASSETS) and response.status_code == 200
        if is_asset and _is_fingerprinted():
            response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
        else:
            response.headers["Cache-Control"] = "no-store"
        if is_asset and "gzip" in request.headers.get("Accept-Encoding", ""):
            _pack(response, packed, lock)
        return response


def _is_fingerprinted() -> bool:
    """Dash names the version in a script's own name (`x.v4_4_1m170000.min.js`), or asks with ?m=."""
    return "m" in request.args or ".v" in request.path.rpartition("/")[2]


def _pack(response: Response, packed: dict[str, bytes], lock: Lock) -> None:
    """Send an asset compressed; each is compressed once. Pages are not: they carry form tokens."""
    response.direct_passthrough = False
    content = response.get_data()
    with lock:
        if request.path not in packed:
            packed[request.path] = gzip.compress(content, 6, mtime=0)
    response.set_data(packed[request.path])
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
