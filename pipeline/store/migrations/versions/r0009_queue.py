"""Indexes for the queue of the desk: each holds all that violations are filtered by."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

FILTERS = ("start", "camera", "kind", "rule", "review_state", "confidence", "plate_key")
REPLACED = ("start", "confidence", "camera", "camera_kind", "kind", "rule", "review_state", "plate_key")
ORDERS = {
    "start": ("start", "id"),
    "confidence": ("confidence", "id"),
    "camera": ("camera", "start", "id"),
    "kind": ("kind", "start", "id"),
    "rule": ("rule", "start", "id"),
    "review_state": ("review_state", "start", "id"),
    "state_confidence": ("review_state", "confidence", "id"),
    "plate_key": ("plate_key", "start", "id"),
}


def upgrade() -> None:
    for name in REPLACED:
        op.drop_index(f"ix_violations_{name}", "violations")
    for name, order in ORDERS.items():
        rest = (each for each in FILTERS if each not in order)
        op.create_index(f"ix_violations_{name}", "violations", [*order, *rest])
    lasting = sa.text('"end" IS NULL')
    op.create_index(
        "ix_violations_open_confidence",
        "violations",
        ["confidence", "id"],
        sqlite_where=lasting,
        postgresql_where=lasting,
    )
