"""Chains of hashes over events and audit."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    pass
