"""Signs and reads what a browser carries for us: its cookies, and the id of the page it shows."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import Response

from data.errors import RapportError
from data.settings import Settings
from data.store.rounds import Ask

PURPOSES = ("answer", "receipt", "draft", "submission", "withdraw")


class Session:
    """The signatures of one installation; they outlive a restart, as its key does."""

    def __init__(self, key: str, *, is_secure: bool) -> None:
        self.is_secure = is_secure
        # One key a purpose, so that nothing signed for one serves another; derived once, not at every request.
        self._signers = {name: _signer(key, name) for name in PURPOSES}

    @classmethod
    def of(cls, settings: Settings) -> "Session":
        if settings.secret_key is None:
            raise RapportError("There is no secret key yet; run `rapport init` first.")
        return cls(settings.secret_key, is_secure=settings.secure)

    def cookie(self, name: str) -> str:
        """`__Host-` cookies need TLS; on loopback without a proxy a plain one serves."""
        return f"__Host-rapport-{name}" if self.is_secure else f"rapport-{name}"

    def set_cookie(self, response: Response, name: str, value: Any, max_age: int) -> None:
        """Written out: the value needs no quoting, and the library's way takes as long as a look into the store."""
        flags = f"Max-Age={max_age}; Path=/; HttpOnly; SameSite=lax{'; Secure' if self.is_secure else ''}"
        response.headers.append("Set-Cookie", f"{self.cookie(name)}={self.sign(value, name)}; {flags}")

    def read_cookie(self, request: Request, name: str) -> Any:
        """The signed value of a cookie, or None."""
        return self.unsign(request.cookies.get(self.cookie(name), ""), name)

    def drafts(self, request: Request) -> dict[str, str]:
        """Invitation → the unsent page of it that this browser saved last."""
        kept = self.read_cookie(request, "draft")
        return dict(kept) if isinstance(kept, dict) else {}

    def sign(self, value: Any, purpose: str) -> str:
        text = base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode())
        return self._signers[purpose].sign(text).decode()

    def unsign(self, text: str, purpose: str) -> Any:
        """What was signed for this purpose, or None."""
        if not text:
            return None
        try:
            return json.loads(base64.urlsafe_b64decode(self._signers[purpose].unsign(text)))
        except BadSignature:
            return None

    def new_page(self, ask: Ask, page_id: str | None = None) -> str:
        """The id of a page, signed for its invitation: a page of somebody else cannot be sent here."""
        return self.sign([ask.invitation_id, page_id or secrets.token_urlsafe(18)], "submission")

    def page_id(self, ask: Ask, fields: Mapping[str, str]) -> str | None:
        """The id that a sent page carries, or None where it was made for another invitation."""
        return self._signed_for(ask, fields.get("submission", ""), "submission")

    def version_seen(self, ask: Ask, fields: Mapping[str, str]) -> int | None:
        """The version that a person saw as their last one when they confirmed to withdraw."""
        seen = self._signed_for(ask, fields.get("withdraw", ""), "withdraw")
        return int(seen) if seen is not None else None

    def _signed_for(self, ask: Ask, text: str, salt: str) -> str | None:
        signed = self.unsign(text, salt)
        if not isinstance(signed, list) or signed[:1] != [ask.invitation_id]:
            return None
        return str(signed[1])


def _signer(key: str, purpose: str) -> Signer:
    secret = hashlib.sha256(f"rapport answers:{purpose}:{key}".encode()).digest()
    return Signer(secret, sep=".", key_derivation="none", digest_method=hashlib.sha256)
