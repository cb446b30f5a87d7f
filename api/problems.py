"""Errors as problem+json (RFC 9457): one shape for everything that goes wrong, made for people and programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth.refusals import Refusal
from api.faults import Fault, faults
from api.headers import ALWAYS
from pipeline.errors import ConfigError, ConflictError, EvidenceError, QueryError, StoreError

MEDIA_TYPE = "application/problem+json"
NO_DATABASE = "the database does not answer; the server's log says more"
UNEXPECTED = "an unexpected error; the server's log says more"
PLAIN = {413: "what was sent is too much for one request; send less"}
"""What Starlette says in words that nobody understands."""
UNREADABLE_EVIDENCE = "the evidence cannot be read; the server's log says more"
log = structlog.get_logger(__name__)


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": HTTPStatus.UNPROCESSABLE_ENTITY.phrase,
                    "status": 422,
                    "detail": "query.limit: a number of at most 200 is needed",
                    "errors": [{"where": "query.limit", "message": "a number of at most 200 is needed"}],
                }
            ]
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Fault] = []


class UnfinishedAccountError(HTTPException):
    """Something is missing to an account, which opens nothing but the `page` that mends it."""

    def __init__(self, detail: str, page: str) -> None:
        super().__init__(403, detail)
        self.page = page


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI `responses` of a route that can fail in these ways."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that came to nothing. `faults` are the values that were refused, if that is why; `refusal` has the text
    of `detail` and the values in it apart, where it is one."""

    status: int
    detail: str
    headers: Mapping[str, str] | None = None
    faults: Sequence[Fault] = ()
    refusal: Refusal | None = None

    def problem(self) -> Response:
        title = HTTPStatus(self.status).phrase
        body = Problem(title=title, status=self.status, detail=self.detail, errors=list(self.faults))
        shown = body.model_dump(exclude={"errors"} if not self.faults else set())
        return JSONResponse(shown, self.status, headers=self.headers, media_type=MEDIA_TYPE)


ErrorPage = Callable[[Request, Failure], Response | None]


def install(app: FastAPI, page: ErrorPage) -> None:
    """Make every error of the app a problem, except where `page` has a page to show instead."""

    def answer(request: Request, failure: Failure) -> Response:
        return page(request, failure) or failure.problem()

    async def refused(request: Request, error: HTTPException) -> Response:
        refusal = error if isinstance(error, Refusal) else None
        return answer(request, Failure(error.status_code, error.detail, error.headers, refusal=refusal))

    async def unfinished(request: Request, error: UnfinishedAccountError) -> Response:
        failure = Failure(error.status_code, error.detail)
        if page(request, failure):
            return RedirectResponse(error.page, 303)
        return failure.problem()

    async def invalid(request: Request, error: RequestValidationError) -> Response:
        found = faults(error.errors())
        detail = "; ".join(f"{fault.where}: {fault.message}" for fault in found)
        return answer(request, Failure(422, detail, faults=found))

    async def bad_query(request: Request, error: QueryError) -> Response:
        return answer(request, Failure(422, str(error)))

    async def conflict(request: Request, error: ConflictError) -> Response:
        return answer(request, Failure(409, str(error)))

    async def wrong_configuration(request: Request, error: ConfigError) -> Response:
        found = [Fault(where=each.field, message=each.message) for each in error.problems]
        return answer(request, Failure(422, "; ".join(map(str, error.problems)), faults=found))

    async def no_database(request: Request, error: StoreError) -> Response:
        log.error("database", error=str(error))
        return answer(request, Failure(503, NO_DATABASE, {"Retry-After": "5"}))

    async def no_evidence(request: Request, error: EvidenceError) -> Response:
        log.error("evidence", error=str(error))
        return answer(request, Failure(409, UNREADABLE_EVIDENCE))

    async def unexpected(request: Request, _error: Exception) -> Response:
        # Answered outside the middleware that adds these to every other answer.
        return answer(request, Failure(500, UNEXPECTED, ALWAYS))

    app.exception_handler(HTTPException)(refused)
    app.exception_handler(UnfinishedAccountError)(unfinished)
    app.exception_handler(RequestValidationError)(invalid)
    app.exception_handler(QueryError)(bad_query)
    app.exception_handler(ConflictError)(conflict)
    app.exception_handler(ConfigError)(wrong_configuration)
    app.exception_handler(StoreError)(no_database)
    app.exception_handler(EvidenceError)(no_evidence)
    app.exception_handler(Exception)(unexpected)


class PlainErrors:
    """Starlette answers a bad Range header and a too large body in plain text; makes that a page or a problem, too."""

    def __init__(self, app: ASGIApp, page: ErrorPage) -> None:
        self.app = app
        self.page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        replaced = False

        async def translate(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                plain = headers.get("content-type", "").startswith("text/plain")
                replaced = message["status"] >= 400 and plain
                if replaced:
                    await self._answer(Request(scope), message["status"], headers)(scope, receive, send)
                    return
            if not replaced:
                await send(message)

        await self.app(scope, receive, translate)

    def _answer(self, request: Request, status: int, headers: Headers) -> Response:
        kept = {name: value for name, value in headers.items() if name not in {"content-type", "content-length"}}
        failure = Failure(status, PLAIN.get(status, HTTPStatus(status).phrase), kept)
        return self.page(request, failure) or failure.problem()
