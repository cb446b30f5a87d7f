"""Access: scopes, second factors, keys of machines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
EMPTY = sa.text("'[]'")


def upgrade() -> None:
    op.add_column("cameras", _list("groups"))
    _users()
    _sessions()
    _api_keys()
    for column in ("actor", "action", "object_id"):
        op.create_index(f"ix_audit_{column}", "audit", [column, "time", "id"])


def _users() -> None:
    for column in (
        _list("groups"),
        sa.Column("password_set", TIME),
        _list("password_history"),
        sa.Column("totp_secret", sa.String(), nullable=False, server_default=""),
        sa.Column("totp_step", sa.BigInteger()),
        _list("recovery_codes"),
        sa.Column("issuer", sa.String(), nullable=False, server_default=""),
        sa.Column("subject", sa.String()),
        sa.Column("signed_in", TIME),
    ):
        op.add_column("users", column)
    op.create_index("ix_users_issuer_subject", "users", ["issuer", "subject"], unique=True)


def _sessions() -> None:
    """Made anew: whoever is signed in signs in again."""
    op.drop_table("sessions")
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("user", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.Column("seen", TIME, nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_sessions_user", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("token_sha256", name="uq_sessions_token_sha256"),
    )
    op.create_index("ix_sessions_expires", "sessions", ["expires"])
    op.create_index("ix_sessions_user", "sessions", ["user"])


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.Uuid(), nullable=False),
        sa.Column("key_sha256", sa.String(), nullable=False),
        sa.Column("beginning", sa.String(), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("groups", JSON, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("expires", TIME),
        sa.Column("used", TIME),
        sa.Column("revoked", TIME),
        sa.ForeignKeyConstraint(["owner"], ["users.id"], name="fk_api_keys_owner", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("key_sha256", name="uq_api_keys_key_sha256"),
        sa.UniqueConstraint("name", name="uq_api_keys_name"),
    )
    op.create_index("ix_api_keys_owner", "api_keys", ["owner"])


def _list(name: str) -> sa.Column[object]:
    return sa.Column(name, JSON, nullable=False, server_default=EMPTY)
