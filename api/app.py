"""The application factory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from api import desk, problems
from api.auth.access import refuse_unguarded
from api.headers import SecurityHeaders
from api.openapi import describe
from api.routes import routers
from api.services import Services, keeping_checkpoints
from api.settings import Settings
from api.viewers import Viewers

LARGEST_BODY = 64 * 1024


def create_app(settings: Settings) -> FastAPI:
    """The API and the desk over one database, which is opened when the server starts and closed when it stops.

    Raises UndeclaredRouteError when a route is not in the access table. Start-up raises StoreError when the
    database cannot be opened.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = await run_in_threadpool(Services.open, settings)
        app.state.services = services
        try:
            with keeping_checkpoints(services):
                yield
        finally:
            services.close()

    app = FastAPI(
        title="Mắt Thần",
        version=version("matthan"),
        description="Violations found by cameras, their evidence and reports.",
        lifespan=lifespan,
        docs_url=None,  # its page loads from other sites
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(problems.PlainErrors, page=desk.error_page),
            Middleware(RequestBodyLimitMiddleware, max_body_size=LARGEST_BODY),
        ],
    )
    app.state.viewers = Viewers()
    app.state.refused = Viewers()
    problems.install(app, desk.error_page)
    desk.install(app, settings)
    guarded = (*routers(), *desk.routers())
    refuse_unguarded(guarded)
    for router in guarded:
        app.include_router(router)
    describe(app)
    return app
