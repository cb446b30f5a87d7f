"""Indexes for the queue of the desk."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    pass
