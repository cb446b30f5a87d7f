"""Errors as problem+json (RFC 9457): one shape for everything that goes wrong, made for people and programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.headers import ALWAYS
from pipeline.errors import ConfigError, ConflictError, EvidenceError, QueryError, StoreError

MEDIA_TYPE = "application/problem+json"
UNREADABLE_EVIDENCE = "the evidence cannot be read; the server's log says more"
log = structlog.get_logger(__name__)


class Fault(BaseModel):
    """One value that was refused: where it stood in the request and why."""

    where: str = Field(examples=["query.limit"])
    message: str = Field(examples=["Input should be less than or equal to 200"])


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": HTTPStatus.UNPROCESSABLE_ENTITY.phrase,
                    "status": 422,
                    "detail": "query.limit: Input should be less than or equal to 200",
                    "errors": [{"where": "query.limit", "message": "Input should be less than or equal to 200"}],
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


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] | None = None, faults: list[Fault] | None = None
) -> Response:
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=faults or [])
    shown = body.model_dump(exclude={"errors"} if not faults else set())
    return JSONResponse(shown, status, headers=headers, media_type=MEDIA_TYPE)


ErrorPage = Callable[[Request, int, str, Mapping[str, str] | None], Response | None]


def install(app: FastAPI, page: ErrorPage) -> None:
    """Make every error of the app a problem, except where `page` has a page to show instead."""

    def answer(
        request: Request,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        faults: list[Fault] | None = None,
    ) -> Response:
        return page(request, status, detail, headers) or problem(status, detail, headers=headers, faults=faults)

    async def refused(request: Request, error: HTTPException) -> Response:
        return answer(request, error.status_code, error.detail, error.headers)

    async def unfinished(request: Request, error: UnfinishedAccountError) -> Response:
        if page(request, error.status_code, error.detail, None):
            return RedirectResponse(error.page, 303)
        return problem(error.status_code, error.detail)

    async def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [Fault(where=".".join(map(str, each["loc"])), message=_told(each)) for each in error.errors()]
        detail = "; ".join(f"{fault.where}: {fault.message}" for fault in faults)
        return answer(request, 422, detail, faults=faults)

    async def bad_query(request: Request, error: QueryError) -> Response:
        return answer(request, 422, str(error))

    async def conflict(request: Request, error: ConflictError) -> Response:
        return answer(request, 409, str(error))

    async def wrong_configuration(request: Request, error: ConfigError) -> Response:
        faults = [Fault(where=found.field, message=found.message) for found in error.problems]
        return answer(request, 422, "; ".join(map(str, error.problems)), faults=faults)

    async def no_database(request: Request, error: StoreError) -> Response:
        log.error("database", error=str(error))
        return answer(request, 503, "the database does not answer; the server's log says more", {"Retry-After": "5"})

    async def no_evidence(request: Request, error: EvidenceError) -> Response:
        log.error("evidence", error=str(error))
        return answer(request, 409, UNREADABLE_EVIDENCE)

    async def unexpected(request: Request, _error: Exception) -> Response:
        # Answered outside the middleware that adds these to every other answer.
        return answer(request, 500, "an unexpected error; the server's log says more", ALWAYS)

    app.exception_handler(HTTPException)(refused)
    app.exception_handler(UnfinishedAccountError)(unfinished)
    app.exception_handler(RequestValidationError)(invalid)
    app.exception_handler(QueryError)(bad_query)
    app.exception_handler(ConflictError)(conflict)
    app.exception_handler(ConfigError)(wrong_configuration)
    app.exception_handler(StoreError)(no_database)
    app.exception_handler(EvidenceError)(no_evidence)
    app.exception_handler(Exception)(unexpected)


def _told(fault: Mapping[str, Any]) -> str:
    if fault["type"] == "missing" and fault["loc"][-1] == "reason":
        return "say why you ask; the reason is kept on the audit trail"
    return str(fault["msg"])


class PlainErrorsAsProblems:
    """Starlette answers a bad Range header and a too large body in plain text; turns that into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        replaced = False

        async def translate(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start":
                headers = {name.lower(): value for name, value in message["headers"]}
                plain = headers.get(b"content-type", b"").startswith(b"text/plain")
                replaced = message["status"] >= 400 and plain
                if replaced:
                    await _send_problem(message["status"], headers, send)
                    return
            if not replaced:
                await send(message)

        await self.app(scope, receive, translate)


async def _send_problem(status: int, headers: dict[bytes, bytes], send: Send) -> None:
    phrase = HTTPStatus(status).phrase
    body = json.dumps({"type": "about:blank", "title": phrase, "status": status, "detail": phrase}).encode()
    headers |= {b"content-type": MEDIA_TYPE.encode(), b"content-length": str(len(body)).encode()}
    await send({"type": "http.response.start", "status": status, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": body})
