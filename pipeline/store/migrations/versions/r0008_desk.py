"""What the desk shows of cameras and the city."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TIME = sa.DateTime(timezone=True)
LASTING = sa.text('"end" IS NULL')


def upgrade() -> None:
    for part_of_the_city in ("ward", "district"):
        op.add_column("cameras", sa.Column(part_of_the_city, sa.String(), nullable=False, server_default=""))
    for measure in ("heading", "angle", "clock_skew"):
        op.add_column("cameras", sa.Column(measure, sa.Double()))
    op.create_table(
        "camera_uptime",
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("start", TIME, nullable=False),
        sa.Column("end", TIME, nullable=False),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name="fk_camera_uptime_camera"),
        sa.PrimaryKeyConstraint("camera", "start", name="pk_camera_uptime"),
    )
    op.create_index("ix_camera_uptime_end", "camera_uptime", ["end"])
    op.add_column("camera_alerts", sa.Column("acknowledged", TIME))
    op.add_column("camera_alerts", sa.Column("acknowledged_by", sa.String(), nullable=False, server_default=""))
    op.create_index(
        "ix_camera_alerts_lasting", "camera_alerts", ["start", "id"], sqlite_where=LASTING, postgresql_where=LASTING
    )
