"""Live operation: clocks, camera health, configurations in force."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    pass
