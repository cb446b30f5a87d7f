"""A real provider of identities on 127.0.0.1: discovery, keys, authorisation and token endpoints, signed ID tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey


class IdentityProvider:
    """Lets in whoever `claims` describes, for the client `matthan` with the secret `s3:cret`.

    `tamper` changes the claims of an ID token before it is signed, `signed_by` signs it with another key, and `forged`
    makes a "shared secret" of the public key, or leaves the token without a signature ("no signature").
    """

    def __init__(self) -> None:
        self.key = _key()
        self.signed_by = self.key
        self.claims: dict[str, Any] = {}
        self.tamper: dict[str, Any] = {}
        self.forged = ""
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "first"}
        self._codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(address.query).items()}
                if address.path.endswith("/.well-known/openid-configuration"):
                    self._answer(provider.description)
                elif address.path.endswith("/keys"):
                    self._answer({"keys": [provider.key.as_dict(private=False)]})
                else:
                    self.send_response(303)
                    self.send_header("Location", provider.authorise(query))
                    self.end_headers()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                login = base64.b64decode(self.headers.get("Authorization", "Basic ").partition(" ")[2]).decode()
                token = provider.token(form, *map(unquote, login.partition(":")[::2]))
                self._answer({"id_token": token} if token else {"error": "invalid_grant"}, 200 if token else 400)

            def log_message(self, *_: object) -> None:
                pass

            def _answer(self, told: object, status: int = 200) -> None:
                body = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/realms/city"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def description(self) -> dict[str, str]:
        paths = {"authorization_endpoint": "/authorise", "token_endpoint": "/token", "jwks_uri": "/keys"}
        return {"issuer": self.issuer} | {name: self.issuer + path for name, path in paths.items()}

    def authorise(self, query: dict[str, str]) -> str:
        """Where the browser of a user who has signed in here is sent."""
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        code = secrets.token_urlsafe()
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.issuer})}"

    def token(self, form: dict[str, str], client: str, secret: str) -> str | None:
        """The ID token for a code, which works once and for the client that began."""
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        good = asked is not None and asked["code_challenge"] == challenge.decode()
        if not good or asked is None or (client, secret) != ("matthan", "s3:cret"):
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "matthan", "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims |= self.claims | self.tamper
        if self.forged in {"shared secret", "no signature"}:
            return self._forge(claims)
        return str(jwt.encode(self.header, claims, self.signed_by))

    def _forge(self, claims: dict[str, Any]) -> str:
        header = {**self.header, "alg": "HS256" if self.forged == "shared secret" else "none"}
        signed = b".".join(_encode(json.dumps(part).encode()) for part in (header, claims))
        secret = self.key.as_pem(private=False) if self.forged == "shared secret" else None
        return b".".join((signed, _encode(hmac.digest(secret, signed, "sha256")) if secret else b"")).decode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@cache
def _key() -> RSAKey:
    """Made once for all providers: it is slow."""
    return RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
