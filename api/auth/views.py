"""What the audit trail tells of each view: every GET route is here, and one that is not stops the program's start."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from api.auth.keys import Route


class Unrecorded(Enum):
    """Why a view leaves no row: it shows nothing of a case, a read of a plate, or another person."""

    COUNTS = "sums that name no case; a search for a plate is a row nevertheless"
    CAMERAS = "cameras, their faults and settings, and how the program runs"
    OWN = "the reader's own account"
    PROGRESS = "how far a piece of work has got; asking for it and fetching it are rows"
    WAY = "a form, a picture of the ground, or the way to a page that is a row"
    PUBLIC = "what is for everyone"


COUNTS, CAMERAS, OWN = Unrecorded.COUNTS, Unrecorded.CAMERAS, Unrecorded.OWN
PROGRESS, WAY, PUBLIC = Unrecorded.PROGRESS, Unrecorded.WAY, Unrecorded.PUBLIC

VIEWS: Mapping[Route, str | Unrecorded] = {
    # Cases.
    ("GET", "/api/v1/violations"): "violation.list",
    ("GET", "/"): "violation.list",
    ("GET", "/api/v1/violations/{violation_id}"): "violation.view",
    ("GET", "/violations/{violation_id}"): "violation.view",
    ("GET", "/violations/{violation_id}/beside/{other_id}"): "violation.view",
    ("GET", "/api/v1/violations/{violation_id}/neighbours"): "violation.neighbours",
    ("GET", "/api/v1/violations/{violation_id}/evidence/{name}"): "evidence.view",
    ("GET", "/api/v1/violations/{violation_id}/verification"): "evidence.verify",
    ("GET", "/api/v1/violations/{violation_id}/review"): "review.view",
    ("GET", "/review/next"): WAY,
    # Cases handed over and published.
    ("GET", "/violations/{violation_id}/handing-over"): "case.view",
    ("GET", "/api/v1/violations/{violation_id}/package"): "case.export",
    ("GET", "/api/v1/violations/{violation_id}/copy/package"): "case.export",
    ("GET", "/api/v1/violations/{violation_id}/copy"): PROGRESS,
    ("GET", "/api/v1/violations/{violation_id}/published"): "case.publish",
    ("GET", "/violations/{violation_id}/published"): "case.publish",
    ("GET", "/api/v1/reports/published-cases.{kind}"): "cases.export",
    ("GET", "/api/v1/signing-keys"): PUBLIC,
    ("GET", "/api/v1/checkpoint"): "chain.checkpoint",
    # Plates of vehicles that did nothing wrong, and those that are watched for.
    ("GET", "/api/v1/plates"): "plate.search",
    ("GET", "/plates"): "plate.search",
    ("GET", "/api/v1/plates/{plate_id}"): "plate.view",
    ("GET", "/api/v1/plates/{plate_id}/picture"): "plate.picture",
    ("GET", "/api/v1/journeys"): "plate.journey",
    ("GET", "/journeys"): "plate.journey",
    ("GET", "/api/v1/watchlists"): "watchlist.view",
    ("GET", "/watchlists"): "watchlist.view",
    ("GET", "/watchlists/removal"): "watchlist.view",
    ("GET", "/api/v1/watchlists/hits"): "watchlist.hits",
    # Sums.
    ("GET", "/queue/counts"): COUNTS,
    ("GET", "/api/v1/summary"): COUNTS,
    ("GET", "/api/v1/counts"): COUNTS,
    ("GET", "/api/v1/backlog"): COUNTS,
    ("GET", "/dashboard"): COUNTS,
    ("GET", "/map"): COUNTS,
    ("GET", "/api/v1/precision"): COUNTS,
    ("GET", "/precision"): COUNTS,
    ("GET", "/api/v1/reports/violations"): COUNTS,
    ("GET", "/reports"): COUNTS,
    ("GET", "/api/v1/reports/violations.{kind}"): "report.export",
    # Pictures of the street: a row a session and hour, with the cameras.
    ("GET", "/cameras"): "camera.watch",
    ("GET", "/cameras/{camera_id}"): "camera.watch",
    ("GET", "/cameras/{camera_id}/places"): "camera.watch",
    ("GET", "/wall"): "camera.watch",
    ("GET", "/api/v1/stills"): "camera.watch",
    ("GET", "/api/v1/cameras/{camera_id}/still"): "camera.watch",
    ("GET", "/api/v1/cameras/{camera_id}/picture"): "camera.watch",
    # Cameras without their pictures, and how the program runs.
    ("GET", "/api/v1/cameras"): CAMERAS,
    ("GET", "/api/v1/cameras/{camera_id}"): CAMERAS,
    ("GET", "/api/v1/cameras/{camera_id}/alerts"): CAMERAS,
    ("GET", "/api/v1/alerts"): CAMERAS,
    ("GET", "/alerts"): CAMERAS,
    ("GET", "/api/v1/uptime"): CAMERAS,
    ("GET", "/api/v1/cameras/{camera_id}/registration"): CAMERAS,
    ("GET", "/cameras/{camera_id}/settings"): CAMERAS,
    ("GET", "/registration"): CAMERAS,
    ("GET", "/registration/new"): CAMERAS,
    ("GET", "/registration/{digest}"): CAMERAS,
    ("GET", "/api/v1/registration/versions"): CAMERAS,
    ("GET", "/api/v1/registration/versions/{digest}"): CAMERAS,
    ("GET", "/api/v1/configurations"): CAMERAS,
    ("GET", "/api/v1/configurations/{version}"): CAMERAS,
    ("GET", "/configurations/{version}"): CAMERAS,
    # Training sets.
    ("GET", "/api/v1/training-sets"): PROGRESS,
    ("GET", "/api/v1/training-sets/{set_id}"): PROGRESS,
    ("GET", "/training"): PROGRESS,
    ("GET", "/api/v1/training-sets/{set_id}/file"): "training.download",
    # Other people's accounts, and the trail itself.
    ("GET", "/api/v1/users"): "user.list",
    ("GET", "/users"): "user.list",
    ("GET", "/api/v1/users/{user_id}"): "user.view",
    ("GET", "/users/{user_id}"): "user.view",
    ("GET", "/api/v1/keys"): "key.list",
    ("GET", "/api/v1/audit"): "audit.view",
    ("GET", "/audit"): "audit.view",
    ("GET", "/api/v1/audit/export"): "audit.export",
    ("GET", "/audit/export"): "audit.export",
    # One's own account, and the ways in.
    ("GET", "/account"): OWN,
    ("GET", "/account/second-factor"): OWN,
    ("GET", "/account/second-factor/picture"): OWN,
    ("GET", "/password"): OWN,
    ("GET", "/api/v1/session"): OWN,
    ("GET", "/api/v1/sessions"): OWN,
    ("GET", "/api/v1/session/second-factor"): OWN,
    ("GET", "/login"): WAY,
    ("GET", "/login/code"): WAY,
    ("GET", "/login/provider"): WAY,
    ("GET", "/login/provider/callback"): WAY,
    ("GET", "/map/tiles/{zoom}/{x}/{y}"): WAY,
    ("GET", "/map/layer"): WAY,
    ("GET", "/health/live"): PUBLIC,
    ("GET", "/health/ready"): PUBLIC,
}
"""The action that a view is recorded as, or why it is not. A list of cases that is narrowed by a plate is recorded as
`plate.search`, in one row all the same; a form that has not been sent yet shows nothing, and leaves none."""
