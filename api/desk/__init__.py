"""The desk: server-rendered pages over the same services as the API."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api.desk.rendering import error_page, templates
from api.desk.routes import router
from api.settings import Settings

__all__ = ["error_page", "install", "router"]


def install(app: FastAPI, settings: Settings) -> None:
    """Give the app the templates and the static files; its routes are included like all others."""
    app.state.templates = templates(settings)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
