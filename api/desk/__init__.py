"""The desk: server-rendered pages over the same services as the API."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.staticfiles import StaticFiles

from api.desk import (
    account,
    alerts,
    amend,
    audit,
    cameras,
    cases,
    city,
    compare,
    dashboard,
    insight,
    language,
    plates,
    provider,
    queue,
    registration,
    reports,
    review,
    routes,
    training,
    users,
    watchlists,
)
from api.desk.rendering import error_page, templates
from api.settings import Settings

__all__ = ["error_page", "install", "routers"]


def routers() -> Iterable[APIRouter]:
    return (
        routes.router,
        provider.router,
        account.router,
        users.router,
        audit.router,
        language.router,
        queue.router,
        review.router,
        cases.router,
        amend.router,
        compare.router,
        insight.router,
        plates.router,
        cameras.router,
        registration.router,
        city.router,
        dashboard.router,
        alerts.router,
        watchlists.router,
        reports.router,
        training.router,
    )


def install(app: FastAPI, settings: Settings) -> None:
    """Give the app the templates and the static files; its routes are included like all others."""
    app.state.languages = language.languages()
    app.state.site_language = settings.site_language
    app.state.templates = {code: templates(settings, spoken) for code, spoken in app.state.languages.items()}
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
