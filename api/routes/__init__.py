"""The routes under /api/v1 and /health."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter

from api.routes import (
    audit,
    cameras,
    cases,
    evidence,
    exports,
    feedback,
    health,
    keys,
    operation,
    overview,
    plates,
    registration,
    reports,
    reviews,
    second_factor,
    sessions,
    stills,
    training,
    users,
    violations,
    watchlists,
)


def routers() -> Iterable[APIRouter]:
    return (
        health.router,
        sessions.router,
        second_factor.router,
        keys.router,
        violations.router,
        evidence.router,
        cases.router,
        reviews.router,
        plates.router,
        reports.router,
        exports.router,
        training.router,
        feedback.router,
        cameras.router,
        stills.router,
        registration.router,
        overview.router,
        operation.router,
        watchlists.router,
        users.router,
        audit.router,
    )
