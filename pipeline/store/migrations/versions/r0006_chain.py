"""The chain of hashes over events, reviews and audit."""

import sqlalchemy as sa
from alembic import op

from pipeline.store.chain import adopt

revision = "0006"
down_revision = "0005"

REFUSAL = "the chain is append-only"
FIXED = ("number", "time", "kind", "subject", "digest", "previous", "hash")


def upgrade() -> None:
    op.create_table(
        "chain",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("content", sa.String()),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_chain"),
    )
    op.create_index("ix_chain_kind_subject_number", "chain", ["kind", "subject", "number"])
    adopt(op.get_bind())
    _append_only()


def _append_only() -> None:
    """The database refuses to delete an entry, and to change one otherwise than by erasing its content."""
    same = " AND ".join(f"NEW.{name} = OLD.{name}" for name in FIXED)
    if op.get_bind().dialect.name == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        op.execute(f"CREATE TRIGGER chain_no_delete BEFORE DELETE ON chain {refuse}")
        op.execute(
            f"CREATE TRIGGER chain_no_update BEFORE UPDATE ON chain WHEN NOT (NEW.content IS NULL AND {same}) {refuse}"
        )
        op.execute(
            "CREATE TRIGGER chain_no_replace BEFORE INSERT ON chain "  # noqa: S608
            f"WHEN EXISTS (SELECT 1 FROM chain WHERE number = NEW.number) {refuse}"
        )
        return
    op.execute(
        "CREATE FUNCTION chain_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER chain_no_update BEFORE UPDATE ON chain FOR EACH ROW "
        f"WHEN (NOT (NEW.content IS NULL AND {same})) EXECUTE FUNCTION chain_refuse()"
    )
    op.execute(
        "CREATE TRIGGER chain_no_delete BEFORE DELETE OR TRUNCATE ON chain "
        "FOR EACH STATEMENT EXECUTE FUNCTION chain_refuse()"
    )
