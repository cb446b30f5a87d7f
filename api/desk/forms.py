"""What every form of the desk is checked for."""

from __future__ import annotations

import hmac

from fastapi import Request
from starlette.exceptions import HTTPException

from api.auth.sessions import form_token


def refuse_other_sites(request: Request, session_token: str | None = None, given: str = "") -> None:
    """Raises HTTPException 403 for a form that another site made the browser send."""
    origin = request.headers.get("origin")
    fetched_from = request.headers.get("sec-fetch-site", "same-origin")
    # Without the scheme: behind a proxy that speaks TLS for us, ours is not the browser's.
    foreign = origin is not None and origin.partition("://")[2] != request.url.netloc
    if foreign or fetched_from not in {"same-origin", "none"}:
        raise HTTPException(403, "this form was sent from another site")
    if session_token is not None and not hmac.compare_digest(form_token(session_token).encode(), given.encode()):
        raise HTTPException(403, "this form has expired; go back, reload the page and try again")


def local_path(target: str) -> str:
    """A path on this site, so that a link to the sign-in page cannot lead on to another; "/" for anything else."""
    safe = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if safe else "/"
