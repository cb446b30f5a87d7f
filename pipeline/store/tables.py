"""The tables, as SQLAlchemy sees them. migrations/ makes and changes them; a test holds the two together.

Text has no length limits here: a name that is too long must not cost an event.

Times are timezone-aware UTC on both databases. `created` and `updated` are the clock of the machine that
wrote the row; every other time is media time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware time, kept and given back as UTC; SQLite, which has no zones, keeps it as UTC text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value.isoformat()}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
# SQLite counts rows only in a column that is exactly INTEGER.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")
# Compared byte by byte, so that a search by the beginning of a plate can walk the index.
PlateKey = String().with_variant(String(collation="C"), "postgresql")


LASTING = text('"end" IS NULL')
EMPTY = text("'[]'")


class Table(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, UUID: Uuid, dict[str, Any]: Json, list[Any]: Json}  # noqa: RUF012

    @classmethod
    def rows(cls) -> SqlTable:
        """The table without the class: what is put into it takes half as long."""
        assert isinstance(cls.__table__, SqlTable)  # noqa: S101  as that of every mapped class is
        return cls.__table__


class Camera(Table):
    """A camera and how it is now. `since` is when it came into `state`; `latency` is in seconds, `rate_share` the
    part of its rate that an overload leaves it, and `clock_skew` the seconds that its clock is ahead."""

    __tablename__ = "cameras"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    ward: Mapped[str] = mapped_column(server_default="")
    district: Mapped[str] = mapped_column(server_default="")
    groups: Mapped[list[Any]] = mapped_column(server_default=EMPTY)
    heading: Mapped[float | None]
    angle: Mapped[float | None]
    state: Mapped[str] = mapped_column(default="unknown")
    since: Mapped[datetime | None]
    last_frame: Mapped[datetime | None]
    fps: Mapped[float | None]
    analysed_fps: Mapped[float | None]
    dropped_fps: Mapped[float | None]
    latency: Mapped[float | None]
    rate_share: Mapped[float | None]
    reconnects: Mapped[int] = mapped_column(default=0)
    clock_skew: Mapped[float | None]
    last_error: Mapped[str] = mapped_column(default="")
    updated: Mapped[datetime | None]


class Run(Table):
    """One pass over one recording, or one stretch of live operation of one camera."""

    __tablename__ = "runs"
    __table_args__ = (Index(None, "camera", "content_sha256", "config_hash", "models_hash", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id"))
    source: Mapped[str]
    content_sha256: Mapped[str]
    config_hash: Mapped[str]
    models_hash: Mapped[str]
    version: Mapped[str]
    configuration: Mapped[str | None]
    state: Mapped[str] = mapped_column(index=True)
    host: Mapped[str]
    process: Mapped[str]
    media_start: Mapped[datetime | None]
    media_end: Mapped[datetime | None]
    frames: Mapped[int] = mapped_column(BigInteger, default=0)
    violations: Mapped[int] = mapped_column(BigInteger, default=0)
    plates: Mapped[int] = mapped_column(BigInteger, default=0)
    error: Mapped[str] = mapped_column(default="")
    created: Mapped[datetime]
    updated: Mapped[datetime]
    finished: Mapped[datetime | None]


PLATE_FILTERS = ("vehicle", "colour", "direction", "confidence")


class PlateRead(Table):
    """The vote over all reads of one tracked vehicle; `text` is null when illegible."""

    __tablename__ = "plate_reads"
    # A search walks the reads of a plate, of a camera or of all, newest first, and sees in the index alone which of
    # them its filters leave out.
    __table_args__ = (
        Index("ix_plate_reads_time", "time", "id", "plate_key", "camera", *PLATE_FILTERS),
        Index("ix_plate_reads_camera", "camera", "time", "id", "plate_key", *PLATE_FILTERS),
        Index("ix_plate_reads_plate", "plate_key", "time", "id", "camera", *PLATE_FILTERS),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id"))
    run: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"))
    track: Mapped[int]
    vehicle: Mapped[str]
    time: Mapped[datetime]
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    text: Mapped[str | None]
    plate_key: Mapped[str | None] = mapped_column(PlateKey)
    confidence: Mapped[float]
    box: Mapped[list[Any] | None]
    reads: Mapped[list[Any]]
    final: Mapped[bool]
    country: Mapped[str] = mapped_column(server_default="")
    display: Mapped[str] = mapped_column(server_default="")
    region: Mapped[str] = mapped_column(server_default="")
    series: Mapped[str] = mapped_column(server_default="")
    colour: Mapped[str] = mapped_column(server_default="")
    lane: Mapped[str] = mapped_column(server_default="")
    direction: Mapped[str] = mapped_column(server_default="")
    crop_file: Mapped[str] = mapped_column(server_default="")
    note: Mapped[str] = mapped_column(server_default="")
    alternatives: Mapped[list[Any]] = mapped_column(server_default=EMPTY)


class Plate(Table):
    """Every plate among the reads, once; pseudonyms are left out. Searches by wildcard and by likeness begin here.

    The database itself keeps the trigrams of the keys: SQLite in the table plate_trigrams, PostgreSQL in the index
    ix_plates_trigrams where it has the extension pg_trgm.
    """

    __tablename__ = "plates"
    __table_args__ = (UniqueConstraint("key"),)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    key: Mapped[str] = mapped_column(PlateKey)


class PlateNeighbour(Table):
    """Under which texts a plate is filed for fuzzy search, see plate_index."""

    __tablename__ = "plate_neighbours"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    neighbour: Mapped[str] = mapped_column(PlateKey, primary_key=True)
    plate: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


VIOLATION_FILTERS = ("start", "camera", "kind", "rule", "review_state", "confidence", "plate_key")


def _listed(name: str, *order: str) -> Index:
    """An index by `order` that also holds the rest of what violations are filtered by."""
    return Index(f"ix_violations_{name}", *order, *(each for each in VIOLATION_FILTERS if each not in order))


class Violation(Table):
    """One incident as the machine saw it, and how far people have got with it (`review_state`)."""

    __tablename__ = "violations"
    # A listing walks the cases of one state, camera, kind, rule or plate, or all, in order of time or confidence, and
    # sees in the index alone which of them its filters leave out; no summary reads the rows with their long traces.
    __table_args__ = (
        _listed("start", "start", "id"),
        _listed("confidence", "confidence", "id"),
        _listed("camera", "camera", "start", "id"),
        _listed("kind", "kind", "start", "id"),
        _listed("rule", "rule", "start", "id"),
        _listed("review_state", "review_state", "start", "id"),
        _listed("state_confidence", "review_state", "confidence", "id"),
        _listed("plate_key", "plate_key", "start", "id"),
        Index("ix_violations_open_confidence", "confidence", "id", sqlite_where=LASTING, postgresql_where=LASTING),
        Index("ix_violations_open", "start", "id", sqlite_where=LASTING, postgresql_where=LASTING),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id"))
    run: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"))
    rule: Mapped[str]
    kind: Mapped[str]
    start: Mapped[datetime]
    peak: Mapped[datetime]
    end: Mapped[datetime | None]
    last_seen: Mapped[datetime]
    closed_reason: Mapped[str] = mapped_column(default="")
    confidence: Mapped[float]
    label: Mapped[str]
    zone: Mapped[str]
    track: Mapped[int | None]
    frame_index: Mapped[int] = mapped_column(BigInteger)
    frame_width: Mapped[int]
    frame_height: Mapped[int]
    boxes: Mapped[list[Any]]
    measures: Mapped[dict[str, Any]]
    trace: Mapped[dict[str, Any]]
    plate_read: Mapped[UUID | None] = mapped_column(ForeignKey("plate_reads.id"), index=True)
    plate_text: Mapped[str | None]
    plate_key: Mapped[str | None] = mapped_column(PlateKey)
    plate_confidence: Mapped[float | None]
    review_state: Mapped[str] = mapped_column(default="flagged", server_default="flagged")
    created: Mapped[datetime]
    updated: Mapped[datetime]


class Evidence(Table):
    """The package of one violation; `folder` is relative to the evidence root."""

    __tablename__ = "evidence"

    violation: Mapped[UUID] = mapped_column(ForeignKey("violations.id"), primary_key=True)
    folder: Mapped[str]
    complete: Mapped[bool]
    note: Mapped[str]
    updated: Mapped[datetime]


class EvidenceFile(Table):
    __tablename__ = "evidence_files"

    violation: Mapped[UUID] = mapped_column(ForeignKey("evidence.violation", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]


class CountSample(Table):
    __tablename__ = "count_series"
    __table_args__ = (UniqueConstraint("camera", "rule", "zone", "time"), Index(None, "camera", "time", "id"))

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    camera: Mapped[str] = mapped_column(ForeignKey("cameras.id"))
    rule: Mapped[str]
    zone: Mapped[str]
    time: Mapped[datetime]
    count: Mapped[int]
    density: Mapped[float | None]
