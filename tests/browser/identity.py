"""A small, honest OpenID Connect service on this machine, with accounts of its own.

It does what a real one does in the authorization code flow: discovery, a page to choose an
account, one-time codes, tokens signed with RS256, its public key, and signing out. What it leaves
out is the password.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT_ID = "cifar-lab"
CLIENT_SECRET = "a secret of the tests only"

ACCOUNTS: Mapping[str, Mapping[str, Any]] = {
    "anna": {"email": "Anna@Example.org", "email_verified": True, "name": "Anna Operator"},
    "victor": {"email": "victor@example.org", "email_verified": True, "name": "Victor *Visitor*"},
    "mallory": {"email": "anna@example.org", "email_verified": False, "name": "Mallory"},
}
"""Claims by account: an operator, a visitor, and somebody who only says to be the operator."""


@dataclass
class Identity:
    """A running service.

    Attributes:
        url: Its address and the issuer of its tokens.
        codes: Codes given out: account, nonce and the digest of the verifier; each works once.
    """

    url: str
    key: Any
    codes: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def id_token(self, account: str, nonce: str) -> str:
        from joserfc import jwt

        now = int(time.time())
        claims = {"iss": self.url, "sub": f"mark-of-{account}", "aud": CLIENT_ID, "nonce": nonce}
        times = {"iat": now, "exp": now + 600}
        header = {"alg": "RS256", "kid": self.key.kid}
        return str(jwt.encode(header, {**claims, **times, **ACCOUNTS[account]}, self.key))


@contextmanager
def identity_service() -> Iterator[Identity]:
    """Runs the service on a free port until the end of the ``with``."""
    from joserfc.jwk import RSAKey

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
    server.identity = Identity(url, key)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.identity  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/.well-known/openid-configuration":
            self._send_json(self._discovery())
        elif address.path == "/keys":
            self._send_json({"keys": [self._identity.key.as_dict(private=False)]})
        elif address.path == "/authorize" and "account" not in query:
            self._send(200, self._choice(query), "text/html")
        elif address.path == "/authorize":
            self._redirect(self._grant(query))
        elif address.path == "/leave":
            self._redirect(query["post_logout_redirect_uri"])
        else:
            self._send(404, "", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        account, nonce, digest = self._identity.codes.pop(form.get("code", ""), ("", "", ""))
        is_client = self.headers.get("Authorization") == f"Basic {basic}"
        if not (account and is_client and _digest(form.get("code_verifier", "")) == digest):
            self._send(400, '{"error": "invalid_grant"}', "application/json")
            return
        token = self._identity.id_token(account, nonce)
        answer = {"access_token": secrets.token_hex(8), "token_type": "Bearer", "id_token": token}
        self._send_json({**answer, "expires_in": 600})

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Says nothing."""

    @property
    def _identity(self) -> Identity:
        return self.server.identity  # type: ignore[attr-defined,no-any-return]

    def _discovery(self) -> dict[str, Any]:
        url = self._identity.url
        return {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/keys",
            "end_session_endpoint": f"{url}/leave",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def _choice(self, query: Mapping[str, str]) -> str:
        links = [
            f'<a href="/authorize?{html.escape(urlencode({**query, "account": name}))}">{name}</a>'
            for name in ACCOUNTS
        ]
        return "<!DOCTYPE html><h1>Who are you?</h1>" + " ".join(links)

    def _grant(self, query: Mapping[str, str]) -> str:
        code = secrets.token_hex(8)
        challenge = query["code_challenge"]
        self._identity.codes[code] = (query["account"], query.get("nonce", ""), challenge)
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def _redirect(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_json(self, facts: Any) -> None:
        self._send(200, json.dumps(facts), "application/json")

    def _send(self, status: int, text: str, kind: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _digest(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
