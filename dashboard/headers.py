"""Sets what browsers may load and keep: a strict content policy, no caching of numbers."""

from collections.abc import Sequence

from flask import Flask, Response

from dashboard.loading import FOREVER

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

    @server.after_request
    def finish(response: Response) -> Response:
        response.headers.update(always)
        if response.headers.get("Cache-Control") != FOREVER:
            response.headers["Cache-Control"] = "no-store"
        return response
