"""Forms that another site made a browser send: refused on every page of the desk, in one place."""

from __future__ import annotations

import hmac

from fastapi import Request
from starlette.exceptions import HTTPException

from api.auth.sessions import form_token

HEADER = "X-Form-Token"
FIELD = "token"


async def refuse_forgery(request: Request) -> None:
    """A dependency of each route of the desk that changes something.

    Where somebody is signed in, the request carries the session's form token, in the field `token` of the form or in
    the header X-Form-Token; a page of another site can make a browser send its cookie, but knows no token.

    Raises HTTPException 403.
    """
    origin = request.headers.get("origin")
    fetched_from = request.headers.get("sec-fetch-site", "same-origin")
    # Without the scheme: behind a proxy that speaks TLS for us, ours is not the browser's.
    foreign = origin is not None and origin.partition("://")[2] != request.url.netloc
    if foreign or fetched_from not in {"same-origin", "none"}:
        raise HTTPException(403, "this form was sent from another site")
    identity = getattr(request.state, "identity", None)
    if identity is None:
        return
    given = request.headers.get(HEADER)
    if given is None:
        field = (await request.form()).get(FIELD, "")
        given = field if isinstance(field, str) else ""
    if not hmac.compare_digest(form_token(identity.token).encode(), given.encode()):
        raise HTTPException(403, "this form has expired; go back, reload the page and try again")
