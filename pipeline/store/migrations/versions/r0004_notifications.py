"""The outbox of notifications."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
UNROUTED = sa.text("routed IS NULL")
UNSENT = sa.text("state IN ('waiting', 'held')")


def upgrade() -> None:
    op.create_table(
        "announcements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("camera", sa.String()),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("routed", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_announcements"),
    )
    op.create_index(
        "ix_announcements_unrouted",
        "announcements",
        ["created", "id"],
        sqlite_where=UNROUTED,
        postgresql_where=UNROUTED,
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("announcement", sa.Uuid(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", TIME, nullable=False),
        sa.Column("lease", TIME),
        sa.Column("summary", sa.Uuid()),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        sa.ForeignKeyConstraint(
            ["announcement"], ["announcements.id"], name="fk_notifications_announcement", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_notifications_unsent",
        "notifications",
        ["target", "due", "id"],
        sqlite_where=UNSENT,
        postgresql_where=UNSENT,
    )
    op.create_index("ix_notifications_target_updated", "notifications", ["target", "updated"])
    op.create_index("ix_notifications_announcement", "notifications", ["announcement"])
