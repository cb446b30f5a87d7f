"""The routes under /api/v1 and /health."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter

from api.routes import (
    audit,
    cameras,
    evidence,
    exports,
    feedback,
    health,
    operation,
    overview,
    plates,
    reports,
    reviews,
    sessions,
    stills,
    users,
    violations,
)


def routers() -> Iterable[APIRouter]:
    return (
        health.router,
        sessions.router,
        violations.router,
        evidence.router,
        reviews.router,
        plates.router,
        reports.router,
        exports.router,
        feedback.router,
        cameras.router,
        stills.router,
        overview.router,
        operation.router,
        users.router,
        audit.router,
    )
