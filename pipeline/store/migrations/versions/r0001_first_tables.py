"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

# Spelt out and not taken from tables.py, which moves on while this file stays as it is.
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PLATE_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")

REFUSAL = "the audit trail is append-only"


def upgrade() -> None:
    _watched()
    _findings()
    _evidence()
    _people()
    _append_only()


def _watched() -> None:
    op.create_table(
        "cameras",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("latitude", sa.Double()),
        sa.Column("longitude", sa.Double()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", TIME),
        sa.Column("last_frame", TIME),
        sa.Column("fps", sa.Double()),
        sa.Column("reconnects", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.Column("updated", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_cameras"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("content_sha256", sa.String(), nullable=False),
        sa.Column("config_hash", sa.String(), nullable=False),
        sa.Column("models_hash", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("media_start", TIME),
        sa.Column("media_end", TIME),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.Column("violations", sa.BigInteger(), nullable=False),
        sa.Column("plates", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("finished", TIME),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name="fk_runs_camera"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index(
        "ix_runs_camera_content_sha256_config_hash_models_hash_version",
        "runs",
        ["camera", "content_sha256", "config_hash", "models_hash", "version"],
    )
    op.create_index("ix_runs_state", "runs", ["state"])


def _findings() -> None:
    op.create_table(
        "plate_reads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("run", sa.Uuid()),
        sa.Column("track", sa.Integer(), nullable=False),
        sa.Column("vehicle", sa.String(), nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("first_seen", TIME, nullable=False),
        sa.Column("last_seen", TIME, nullable=False),
        sa.Column("text", sa.String()),
        sa.Column("plate_key", PLATE_KEY),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("box", JSON),
        sa.Column("reads", JSON, nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name="fk_plate_reads_camera"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_plate_reads_run"),
        sa.PrimaryKeyConstraint("id", name="pk_plate_reads"),
    )
    op.create_index("ix_plate_reads_camera_time_id", "plate_reads", ["camera", "time", "id"])
    op.create_index("ix_plate_reads_plate_key_time_id", "plate_reads", ["plate_key", "time", "id"])
    op.create_index("ix_plate_reads_time_id", "plate_reads", ["time", "id"])
    op.create_table(
        "violations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("run", sa.Uuid()),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("start", TIME, nullable=False),
        sa.Column("peak", TIME, nullable=False),
        sa.Column("end", TIME),
        sa.Column("last_seen", TIME, nullable=False),
        sa.Column("closed_reason", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("track", sa.Integer()),
        sa.Column("frame_index", sa.BigInteger(), nullable=False),
        sa.Column("frame_width", sa.Integer(), nullable=False),
        sa.Column("frame_height", sa.Integer(), nullable=False),
        sa.Column("boxes", JSON, nullable=False),
        sa.Column("measures", JSON, nullable=False),
        sa.Column("trace", JSON, nullable=False),
        sa.Column("plate_read", sa.Uuid()),
        sa.Column("plate_text", sa.String()),
        sa.Column("plate_key", PLATE_KEY),
        sa.Column("plate_confidence", sa.Double()),
        sa.Column("review_state", sa.String(), server_default="flagged", nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name="fk_violations_camera"),
        sa.ForeignKeyConstraint(["plate_read"], ["plate_reads.id"], name="fk_violations_plate_read"),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], name="fk_violations_run"),
        sa.PrimaryKeyConstraint("id", name="pk_violations"),
    )
    by_start = ["start", "id", "camera", "rule", "kind", "review_state"]
    op.create_index("ix_violations_start", "violations", by_start)
    op.create_index("ix_violations_confidence", "violations", ["confidence", "id"])
    op.create_index("ix_violations_camera", "violations", ["camera", "start", "id"])
    op.create_index("ix_violations_camera_kind", "violations", ["camera", "kind", "start", "id"])
    op.create_index("ix_violations_kind", "violations", ["kind", "start", "id"])
    op.create_index("ix_violations_rule", "violations", ["rule", "start", "id"])
    op.create_index("ix_violations_review_state", "violations", ["review_state", "start", "id"])
    op.create_index("ix_violations_plate_key", "violations", ["plate_key", "start", "id"])
    op.create_index("ix_violations_plate_read", "violations", ["plate_read"])
    lasting = sa.text('"end" IS NULL')
    op.create_index("ix_violations_open", "violations", ["start", "id"], sqlite_where=lasting, postgresql_where=lasting)
    op.create_table(
        "count_series",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("density", sa.Double()),
        sa.ForeignKeyConstraint(["camera"], ["cameras.id"], name="fk_count_series_camera"),
        sa.PrimaryKeyConstraint("id", name="pk_count_series"),
        sa.UniqueConstraint("camera", "rule", "zone", "time", name="uq_count_series_camera_rule_zone_time"),
    )
    op.create_index("ix_count_series_camera_time_id", "count_series", ["camera", "time", "id"])


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("violation", sa.Uuid(), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.ForeignKeyConstraint(["violation"], ["violations.id"], name="fk_evidence_violation"),
        sa.PrimaryKeyConstraint("violation", name="pk_evidence"),
    )
    op.create_table(
        "evidence_files",
        sa.Column("violation", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["violation"], ["evidence.violation"], name="fk_evidence_files_violation", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("violation", "name", name="pk_evidence_files"),
    )


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until", TIME),
        sa.Column("created", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("user", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("expires", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.id"], name="fk_sessions_user", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sessions"),
    )
    op.create_index("ix_sessions_expires", "sessions", ["expires"])
    op.create_index("ix_sessions_user", "sessions", ["user"])
    op.create_table(
        "audit",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object_kind", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_object_kind_object_id", "audit", ["object_kind", "object_id"])
    op.create_index("ix_audit_time_id", "audit", ["time", "id"])


def _append_only() -> None:
    """Make the database itself refuse to change or delete an audit row."""
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{deed.lower()} BEFORE {deed} ON audit "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        # INSERT OR REPLACE deletes the row it collides with without firing the trigger on deletion.
        op.execute(
            "CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit "  # noqa: S608
            "WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
    )
