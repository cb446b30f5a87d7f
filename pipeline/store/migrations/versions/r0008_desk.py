"""What the desk shows of cameras and the city."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for part_of_the_city in ("ward", "district"):
        op.add_column("cameras", sa.Column(part_of_the_city, sa.String(), nullable=False, server_default=""))
