"""Plate reads: what is known beside the text, and indexes for searching millions of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from pipeline.store.plate_index import neighbours

revision = "0002"
down_revision = "0001"

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PLATE_KEY = sa.String().with_variant(sa.String(collation="C"), "postgresql")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
ATTRIBUTES = ("country", "display", "region", "series", "colour", "lane", "direction", "crop_file", "note")
FILTERS = ["vehicle", "colour", "direction", "confidence"]
BATCH = 5000


def upgrade() -> None:
    for name in ATTRIBUTES:
        op.add_column("plate_reads", sa.Column(name, sa.String(), nullable=False, server_default=""))
    alternatives = sa.Column("alternatives", JSON, nullable=False, server_default=sa.text("'[]'"))
    op.add_column("plate_reads", alternatives)
    for columns in (["time", "id"], ["camera", "time", "id"], ["plate_key", "time", "id"]):
        op.drop_index(f"ix_plate_reads_{'_'.join(columns)}", "plate_reads")
    op.create_index("ix_plate_reads_time", "plate_reads", ["time", "id", "plate_key", "camera", *FILTERS])
    op.create_index("ix_plate_reads_camera", "plate_reads", ["camera", "time", "id", "plate_key", *FILTERS])
    op.create_index("ix_plate_reads_plate", "plate_reads", ["plate_key", "time", "id", "camera", *FILTERS])
    op.create_table(
        "plates",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("key", PLATE_KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plates"),
        sa.UniqueConstraint("key", name="uq_plates_key"),
    )
    op.create_table(
        "plate_neighbours",
        sa.Column("neighbour", PLATE_KEY, nullable=False),
        sa.Column("plate", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("neighbour", "plate", name="pk_plate_neighbours"),
        sqlite_with_rowid=False,
    )
    _trigrams()
    _file_known_plates()


def _trigrams() -> None:
    """For searches by what lies in the middle of a plate."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE plate_trigrams "
            "USING fts5(key, content = 'plates', content_rowid = 'id', tokenize = 'trigram')"
        )
        op.execute(
            "CREATE TRIGGER plates_added AFTER INSERT ON plates BEGIN "
            "INSERT INTO plate_trigrams (rowid, key) VALUES (NEW.id, NEW.key); END"
        )
        op.execute(
            "CREATE TRIGGER plates_removed AFTER DELETE ON plates BEGIN "
            "INSERT INTO plate_trigrams (plate_trigrams, rowid, key) VALUES ('delete', OLD.id, OLD.key); END"
        )
        return
    known = (
        sa.select(sa.func.count())
        .where(sa.column("name") == "pg_trgm")
        .select_from(sa.table("pg_available_extensions"))
    )
    if not connection.execute(known).scalar_one():
        return  # such searches then read all known plates, which is slower
    try:
        with connection.begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            op.execute("CREATE INDEX ix_plates_trigrams ON plates USING gin (key gin_trgm_ops)")
    except sa.exc.ProgrammingError:
        return  # not allowed to this user: as if it were not there


def _file_known_plates() -> None:
    connection = op.get_bind()
    reads = sa.table("plate_reads", sa.column("plate_key"))
    plates = sa.table("plates", sa.column("id"), sa.column("key", PLATE_KEY))
    filed = sa.table("plate_neighbours", sa.column("neighbour"), sa.column("plate"))
    known = sa.select(reads.c.plate_key).where(reads.c.plate_key.is_not(None)).distinct()
    connection.execute(plates.insert().from_select(["key"], known))
    last = 0
    while rows := connection.execute(
        sa.select(plates).where(plates.c.id > last).order_by(plates.c.id).limit(BATCH)
    ).all():
        texts = [{"neighbour": text, "plate": row.id} for row in rows for text in sorted(neighbours(row.key))]
        connection.execute(filed.insert(), texts)
        last = rows[-1].id
