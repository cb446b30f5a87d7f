"""Seals on the chain: signatures of what each transaction put there."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

REFUSAL = "the chain is append-only"
FIXED = ("number", "time", "kind", "subject", "digest", "previous", "hash")


def upgrade() -> None:
    op.add_column("chain", sa.Column("seal", sa.String()))
    sealed = sa.text("seal IS NOT NULL")
    op.create_index("ix_chain_sealed", "chain", ["number"], sqlite_where=sealed, postgresql_where=sealed)
    same = " AND ".join(f"NEW.{name} = OLD.{name}" for name in FIXED)
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER chain_no_update")
        op.execute(
            "CREATE TRIGGER chain_no_update BEFORE UPDATE ON chain "
            f"WHEN NOT (NEW.content IS NULL AND {same} AND NEW.seal IS OLD.seal) "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
        return
    op.execute("DROP TRIGGER chain_no_update ON chain")
    op.execute(
        "CREATE TRIGGER chain_no_update BEFORE UPDATE ON chain FOR EACH ROW "
        f"WHEN (NOT (NEW.content IS NULL AND {same} AND NEW.seal IS NOT DISTINCT FROM OLD.seal)) "
        "EXECUTE FUNCTION chain_refuse()"
    )
