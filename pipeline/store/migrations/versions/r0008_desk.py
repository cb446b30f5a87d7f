"""What the desk shows of cameras and the city."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    pass
