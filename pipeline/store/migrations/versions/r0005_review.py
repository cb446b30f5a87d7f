"""How people get on with violations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

REFUSAL = "the history of a review is append-only"


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("violation", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("assignee", sa.String(), nullable=False),
        sa.Column("lock_holder", sa.String(), nullable=False),
        sa.Column("lock_until", TIME),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("first_reviewer", sa.String(), nullable=False),
        sa.Column("first_plate", sa.String(), nullable=False),
        sa.Column("second_reviewer", sa.String(), nullable=False),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        sa.Column("plate", sa.String()),
        sa.Column("vehicle", sa.String()),
        sa.Column("corrected_start", TIME),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("duplicate_of", sa.Uuid()),
        sa.Column("notified", TIME),
        sa.Column("updated", TIME, nullable=False),
        sa.ForeignKeyConstraint(["violation"], ["violations.id"], name="fk_reviews_violation"),
        sa.ForeignKeyConstraint(["duplicate_of"], ["violations.id"], name="fk_reviews_duplicate_of"),
        sa.PrimaryKeyConstraint("violation", name="pk_reviews"),
    )
    op.create_index("ix_reviews_assignee", "reviews", ["assignee"])
    op.create_index("ix_reviews_duplicate_of", "reviews", ["duplicate_of"])
    op.create_table(
        "review_actions",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("violation", sa.Uuid(), nullable=False),
        sa.Column("time", TIME, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("detail", JSON, nullable=False),
        sa.ForeignKeyConstraint(["violation"], ["violations.id"], name="fk_review_actions_violation"),
        sa.PrimaryKeyConstraint("id", name="pk_review_actions"),
    )
    op.create_index("ix_review_actions_violation_id", "review_actions", ["violation", "id"])
    _append_only()


def _append_only() -> None:
    """As for the audit trail: the database itself refuses to change or delete a step."""
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER review_actions_no_{deed.lower()} BEFORE {deed} ON review_actions "
                f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        op.execute(
            "CREATE TRIGGER review_actions_no_replace BEFORE INSERT ON review_actions "  # noqa: S608
            "WHEN EXISTS (SELECT 1 FROM review_actions WHERE id = NEW.id) "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION review_actions_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER review_actions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON review_actions "
        "FOR EACH STATEMENT EXECUTE FUNCTION review_actions_refuse()"
    )
