"""Why a live camera cannot be read, in words that name the mend and no secret."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import av

DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a connection ended. `refused` when asking again soon is no use, as with a wrong password or path; `ours`
    when the camera is not to blame and need not be spared."""

    reason: str
    refused: bool = False
    ours: bool = False


def with_login(url: str, user: str | None, password: str | None) -> str:
    """The URL with user and password, given as they are, percent-encoded in their place. A secret."""
    if user is None:
        return url
    login = ":".join(quote(part, safe="") for part in (user, password) if part is not None)
    return url.replace("://", f"://{login}@", 1)


def public(url: str) -> str:
    """The URL fit to be shown: without user and password, and without path and query, which may hold a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def explain(error: Exception, url: str, timeout: float) -> Failure:
    """What went wrong at `url` and what to do about it."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 554)
    login = "the user or password is wrong" if parts.username else "it asks for a user and password"
    known: Sequence[tuple[tuple[type[Exception], ...], str, bool]] = (
        (
            (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError),
            f"{login}; set user and password of the camera's source",
            True,
        ),
        (
            (av.error.HTTPNotFoundError,),
            "it has no stream at this path; see the camera's manual for the right one",
            True,
        ),
        ((av.error.HTTPError,), "it refuses this path; see the camera's own log", True),
        ((ConnectionRefusedError,), "nothing listens there; check the port and that RTSP is enabled", False),
        ((TimeoutError, av.error.ExitError), f"no answer within {timeout:g} s; check power, network, firewall", False),
        (
            (av.error.InvalidDataError,),
            "what it sends is no RTSP or no video; check port and path of the source",
            False,
        ),
    )
    for kinds, reason, refused in known:
        if isinstance(error, kinds):
            return Failure(f"{host}:{port}: {reason}", refused)
    return unreachable(host, port, error)


def unreachable(host: str, port: int, error: Exception) -> Failure:
    """The library answers many network faults with one code; ask the system for the real one."""
    try:
        socket.getaddrinfo(host, port)
    except OSError:
        return Failure(f"{host}: no such host; check the name and the DNS")
    code = getattr(error, "errno", None)
    if code in {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return Failure(f"{host}:{port}: no route to it; check network and firewall")
    if code in {errno.ECONNRESET, errno.EPIPE, errno.EIO}:
        return Failure(f"{host}:{port}: the connection was lost")
    text = getattr(error, "strerror", None) or type(error).__name__
    return Failure(f"{host}:{port}: {text[:1].lower()}{text[1:]}")
