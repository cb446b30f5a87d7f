"""Live operation: clocks, camera health, configurations in force."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _camera_health()
    _configurations()
    _retention()


def _camera_health() -> None:
    for measure in ("analysed_fps", "dropped_fps", "latency", "rate_share"):
        op.add_column("cameras", sa.Column(measure, sa.Double()))
    op.create_table(
        "camera_alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("start", TIME, nullable=False),
        sa.Column("end", TIME),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("limit", sa.Double(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_camera_alerts"),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name="fk_camera_alerts_camera"),
    )
    op.create_index("ix_camera_alerts_camera_start_id", "camera_alerts", ["camera", "start", "id"])


def _configurations() -> None:
    op.add_column("runs", sa.Column("configuration", sa.String()))
    op.create_table(
        "configurations",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_configurations"),
    )
    op.create_table(
        "configuration_loads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("configuration", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("ended", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_configuration_loads"),
        sa.ForeignKeyConstraint(
            ["configuration"], ["configurations.hash"], name="fk_configuration_loads_configuration"
        ),
    )
    op.create_index("ix_configuration_loads_created", "configuration_loads", ["created"])


def _retention() -> None:
    op.create_table(
        "removals",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("marked", TIME, nullable=False),
        sa.Column("finished", TIME),
        sa.PrimaryKeyConstraint("subject", name="pk_removals"),
    )
    op.create_index("ix_removals_state", "removals", ["state"])
    op.create_table(
        "legal_holds",
        sa.Column("violation", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.PrimaryKeyConstraint("violation", name="pk_legal_holds"),
        sa.ForeignKeyConstraint(["violation"], ["violations.id"], name="fk_legal_holds_violation"),
    )
