"""Sign-in at a provider of identities: OpenID Connect Core 1.0, code flow with PKCE (RFC 7636), state and nonce."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from api.auth.refusals import Refusal
from api.auth.sealing import BrokenSealError, Seals
from pipeline.access import ALL_GROUPS, OidcPolicy, Role

log = structlog.get_logger(__name__)
PURPOSE = "provider"
RETURN_WITHIN = timedelta(minutes=10)
KNOWN_FOR = 3600.0
"""Seconds for which what the provider says of itself is taken as known."""
ASK_AGAIN_AFTER = 60.0
LEEWAY = 60
TIMEOUT = 10.0
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures by a key pair only: with a shared secret, or none, the token could be anybody's."""

AWAY = "the provider of identities does not answer as it should; try again, or sign in with a password"
NOT_OURS = "this sign-in was not begun in this browser, or took too long; begin again"
REFUSED = "the provider of identities did not let you in"
UNTRUSTED = "what the provider of identities sent is not to be trusted; begin again"
NO_ROLE = "your account has no right to use this program; ask an administrator"


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send the browser, and the sealed cookie that it brings back from there."""

    address: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who the provider says somebody is, and what that means here. `role` and `groups` are None where the site lets
    an administrator decide them; no groups stand for all cameras."""

    subject: str
    name: str
    role: Role | None
    groups: tuple[str, ...] | None
    following: str


class Provider:
    """One provider. What it says of itself, and its keys, are asked for when first needed, and again after an hour or
    when a token names a key that is not among them."""

    def __init__(self, policy: OidcPolicy, seals: Seals) -> None:
        self.policy = policy
        self._seals = seals
        self._lock = threading.Lock()
        self._described: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._asked = float("-inf")

    def depart(self, following: str) -> Departure:
        """Raises Refusal 502 when the provider cannot be asked."""
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(kept["verifier"].encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self.policy.client_id,
            "redirect_uri": self.policy.redirect_url,
            "scope": " ".join(self.policy.scopes),
            "state": kept["state"],
            "nonce": kept["nonce"],
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = str(self._description()["authorization_endpoint"])
        address = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"
        return Departure(address, self._seals.seal(PURPOSE, {**kept, "next": following}))

    def arrive(self, sealed: str, answer: Mapping[str, str]) -> Arrival:
        """Who has come back, by the cookie of `depart` and the parameters that the provider sent along.

        Raises Refusal: 400 when this browser never departed, 403 when the provider or its token lets nobody in, 502
        when the provider cannot be asked.
        """
        try:
            kept = self._seals.open(PURPOSE, sealed, within=RETURN_WITHIN)
        except BrokenSealError:
            raise Refusal(400, NOT_OURS) from None
        if not hmac.compare_digest(kept["state"].encode(), answer.get("state", "").encode()):
            raise Refusal(400, NOT_OURS)
        if answer.get("iss", self.policy.issuer) != self.policy.issuer:  # RFC 9207
            raise Refusal(403, UNTRUSTED)
        if not answer.get("code"):
            log.warning("the provider of identities refused a sign-in", error=answer.get("error", "")[:100])
            raise Refusal(403, REFUSED)
        claims = self._claims(self._token(answer["code"], kept["verifier"]), kept["nonce"])
        return self._arrival(claims, kept["next"])

    def _token(self, code: str, verifier: str) -> str:
        """The ID token that the provider gives for a code."""
        policy = self.policy
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": policy.redirect_url}
        form |= {"code_verifier": verifier, "client_id": policy.client_id}
        login = None
        if policy.client_secret is not None:  # RFC 6749, 2.3.1: each part encoded as in a form
            login = (quote(policy.client_id, safe=""), quote(policy.client_secret.get_secret_value(), safe=""))
        answer = self._ask("POST", str(self._description()["token_endpoint"]), data=form, auth=login)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise Refusal(502, AWAY)
        return token

    def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        """The claims of an ID token whose signature and claims hold (OpenID Connect Core, 3.1.3.7)."""
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self.policy.issuer},
            aud={"essential": True, "value": self.policy.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            claims = self._decoded(token)
            registry.validate(claims)
            several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
            if (several or "azp" in claims) and claims.get("azp") != self.policy.client_id:
                raise Refusal(403, UNTRUSTED)
        except (JoseError, ValueError) as error:
            log.warning("an ID token was refused", reason=str(error)[:200])
            raise Refusal(403, UNTRUSTED) from None
        return claims

    def _decoded(self, token: str) -> dict[str, Any]:
        keys = self._key_set()
        try:
            return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
        except InvalidKeyIdError:  # the provider has a new key, perhaps
            return dict(jwt.decode(token, self._key_set(anew=True), algorithms=ALGORITHMS).claims)

    def _arrival(self, claims: Mapping[str, Any], following: str) -> Arrival:
        """Raises Refusal 403 for somebody who has no role here, or no camera to see."""
        policy = self.policy
        given = _values(claims, policy.role_claim)
        role = next((role for value, role in policy.roles.items() if value in given), None)
        if policy.roles and role is None:
            raise Refusal(403, NO_ROLE)
        groups: tuple[str, ...] | None = None
        if policy.group_claim is not None:
            told = _values(claims, policy.group_claim)
            seen = {group for value, groups in policy.groups.items() if value in told for group in groups}
            if not seen and role is not Role.ADMIN:
                raise Refusal(403, NO_ROLE)
            groups = () if ALL_GROUPS in seen or role is Role.ADMIN else tuple(sorted(seen))
        name = str(claims.get(policy.name_claim, "")).lower()
        return Arrival(str(claims["sub"]), name, role, groups, following)

    def _description(self) -> dict[str, Any]:
        with self._lock:
            if time.monotonic() - self._asked > KNOWN_FOR:
                self._learn()
            return self._described

    def _key_set(self, *, anew: bool = False) -> KeySet:
        with self._lock:
            old = time.monotonic() - self._asked
            if self._keys is None or old > KNOWN_FOR or (anew and old > ASK_AGAIN_AFTER):
                self._learn()
            assert self._keys is not None  # noqa: S101  just learnt
            return self._keys

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.policy.ca_file) if self.policy.ca_file else None)

    def _learn(self) -> None:
        described = self._ask("GET", self.policy.issuer.rstrip("/") + "/.well-known/openid-configuration")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if described.get("issuer") != self.policy.issuer or not all(self._safe(described.get(each)) for each in needed):
            log.error("the provider of identities describes another than streams.yaml", issuer=described.get("issuer"))
            raise Refusal(502, AWAY)
        try:
            keys = KeySet.import_key_set(self._ask("GET", described["jwks_uri"]))  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            log.error("the keys of the provider of identities cannot be read", error=str(error)[:200])
            raise Refusal(502, AWAY) from None
        self._described, self._keys, self._asked = described, keys, time.monotonic()

    def _safe(self, address: object) -> bool:
        """No less so than the issuer's own address."""
        https = self.policy.issuer.startswith("https://")
        return isinstance(address, str) and address.startswith("https://" if https else ("http://", "https://"))

    def _ask(self, method: str, address: str, **options: Any) -> dict[str, Any]:
        """What the provider answers. Raises Refusal 502."""
        try:
            answer = httpx.request(method, address, timeout=TIMEOUT, verify=self._trusted, **options)
            answer.raise_for_status()
            told = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            log.error("the provider of identities does not answer", address=address, error=str(error)[:200])
            raise Refusal(502, AWAY) from None
        if not isinstance(told, dict):
            raise Refusal(502, AWAY)
        return told


def _values(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """What a claim says, a text or several; dots in the name lead into objects."""
    found: Any = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    return frozenset(str(value) for value in (found if isinstance(found, list) else [found] if found else []))
