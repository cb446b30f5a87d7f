"""Writing what the pipeline found: violations, plate reads, counts, evidence. Saving twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, false, insert, or_, select, update
from sqlalchemy import case as sql_case

from pipeline.errors import ConflictError
from pipeline.plate_text import is_pseudonym
from pipeline.store.announcements import Announcing
from pipeline.store.chaining import examine, note
from pipeline.store.encode import Row, count_row, plate_row, violation_row
from pipeline.store.plate_index import neighbours
from pipeline.store.tables import Camera, CountSample, Plate, PlateNeighbour, PlateRead, Run, Violation
from pipeline.store.tables import Evidence as EvidenceTable
from pipeline.store.tables import EvidenceFile as EvidenceFileTable
from pipeline.types import Evidence, Findings

# What people decide about a violation, and when it was first stored, outlives every reprocessing.
KEPT = {"id", "review_state", "created"}
PLATE = ("plate_read", "plate_text", "plate_key", "plate_confidence")


class FindingsStore(Announcing):
    def save(self, findings: Findings, run: UUID | None = None) -> None:
        """Insert or update all of it in one transaction, by the findings' own ids.

        A violation that has ended is not reopened, a final plate vote not replaced by an earlier one, a plate
        once linked to a violation not lost, and `review_state` is never touched. `run` is the id that
        begin_run gave. Raises StoreError; then nothing of it is stored.
        """
        now = datetime.now(UTC)
        # One physical track is voted on as it goes, and the later vote in the list is the newer: a violation
        # carries the vote as it was when the violation was found.
        plates = [*(each.plate for each in findings.violations if each.plate), *findings.plates]
        cameras = {
            *(violation.camera for violation in findings.violations),
            *(plate.camera for plate in plates),
            *(sample.camera for sample in findings.counts),
        }
        with self.writing() as connection:
            self._ensure_cameras(connection, cameras)
            if plates:
                _examine_plates(
                    connection, [plate.id for plate in plates], [each.id for each in findings.violations if each.plate]
                )
                self._save_plates(connection, [plate_row(plate, run) for plate in plates])
            if findings.violations:
                rows = [violation_row(violation, run, now) for violation in findings.violations]
                connection.execute(self._violation_upsert(), rows)
                self.announce_violations(connection, findings.violations)
            if plates:
                _spread_plates(connection, [plate_row(plate, run) for plate in plates if plate.final])
                _chain_plates(connection, [plate.id for plate in plates])
            if findings.counts:
                connection.execute(self._count_upsert(), [count_row(sample) for sample in findings.counts])

    def attach(self, evidence: Evidence) -> None:
        """Record a violation's evidence package, in place of what was recorded of it before.

        Raises ConflictError when the violation has not been saved.
        """
        now = datetime.now(UTC)
        statement = self.insert(EvidenceTable).values(
            violation=evidence.violation,
            folder=evidence.folder,
            complete=evidence.complete,
            note=evidence.note,
            updated=now,
        )
        new = statement.excluded
        with self.writing() as connection:
            known = connection.execute(
                update(Violation).where(Violation.id == evidence.violation).values(updated=now)
            ).rowcount
            if not known:
                raise ConflictError(f"violation {evidence.violation} has evidence but was never saved; save it first")
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["violation"],
                    set_={"folder": new.folder, "complete": new.complete, "note": new.note, "updated": new.updated},
                )
            )
            connection.execute(delete(EvidenceFileTable).where(EvidenceFileTable.violation == evidence.violation))
            if evidence.files:
                connection.execute(insert(EvidenceFileTable), [_file_row(evidence, file) for file in evidence.files])

    def close_open_violations(self, camera: str, reason: str, run: UUID | None = None) -> int:
        """End what a killed run of this camera left open, at the last moment it was seen; how many there were.

        `reason` is kept and shown. Reprocessing the footage replaces such an end with the true one.
        `run` limits it to that run's violations; otherwise those of recordings that are being analysed are left.
        """
        statement = update(Violation).where(Violation.camera == camera, Violation.end.is_(None))
        if run is not None:
            statement = statement.where(Violation.run == run)
        else:
            analysed = select(Run.id).where(Run.state == "running", Run.content_sha256 != "")
            statement = statement.where(or_(Violation.run.is_(None), Violation.run.not_in(analysed)))
        values = {"end": Violation.last_seen, "closed_reason": reason, "updated": datetime.now(UTC)}
        told = (Violation.id, Violation.kind, Violation.camera)
        with self.writing() as connection:
            ended = connection.execute(statement.values(values).returning(*told)).all()
            self.announce_ended(connection, ended)
            return len(ended)

    def _ensure_cameras(self, connection: Connection, cameras: Iterable[str]) -> None:
        """A camera nobody recorded must not cost its events."""
        rows = [{"id": camera} for camera in sorted(cameras)]
        if rows:
            connection.execute(self.insert(Camera).on_conflict_do_nothing(), rows)

    def _save_plates(self, connection: Connection, rows: list[Row]) -> None:
        statement = self.insert(PlateRead)
        new = statement.excluded
        columns = {name: new[name] for name in rows[0] if name != "id"}
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["id"], set_=columns, where=or_(new.final, PlateRead.final.is_(False))
            ),
            rows,
        )
        keys = {key for row in rows if (key := row["plate_key"]) and not is_pseudonym(key)}
        if keys:
            self._file_plates(connection, sorted(keys))

    def _file_plates(self, connection: Connection, keys: list[str]) -> None:
        """Make plates that have not been read before known to the searches."""
        statement = self.insert(Plate)
        # In vain for a known plate, but holds its row, so that it is not removed as forgotten meanwhile.
        kept = statement.on_conflict_do_update(
            index_elements=["key"], set_={"key": statement.excluded.key}, where=false()
        )
        new = connection.execute(kept.returning(Plate.id, Plate.key), [{"key": key} for key in keys]).all()
        filed = [{"neighbour": text, "plate": row.id} for row in new for text in sorted(neighbours(row.key))]
        if filed:
            connection.execute(insert(PlateNeighbour), filed)

    def _violation_upsert(self) -> Any:
        statement = self.insert(Violation)
        new = statement.excluded
        columns = {column.name: new[column.name] for column in Violation.__table__.columns if column.name not in KEPT}
        for name in PLATE:
            old = Violation.__table__.columns[name]
            columns[name] = sql_case((new.plate_read.is_(None), old), else_=new[name])
        return statement.on_conflict_do_update(
            index_elements=["id"], set_=columns, where=or_(new.end.is_not(None), Violation.end.is_(None))
        )

    def _count_upsert(self) -> Any:
        statement = self.insert(CountSample)
        new = statement.excluded
        return statement.on_conflict_do_update(
            index_elements=["camera", "rule", "zone", "time"], set_={"count": new["count"], "density": new.density}
        )


def _spread_plates(connection: Connection, rows: list[Row]) -> None:
    """A vote that became final after its violation was reported still reaches the violation."""
    if not rows:
        return
    statement = (
        update(Violation.__table__)  # type: ignore[arg-type]
        .where(Violation.plate_read == bindparam("read"))
        .values(
            plate_text=bindparam("new_text"), plate_key=bindparam("new_key"), plate_confidence=bindparam("new_score")
        )
    )
    parameters = [
        {"read": row["id"], "new_text": row["text"], "new_key": row["plate_key"], "new_score": row["confidence"]}
        for row in rows
    ]
    connection.execute(statement, parameters)


def _examine_plates(connection: Connection, reads: list[UUID], violations: list[UUID]) -> None:
    """Reads of cases, before they are saved anew, or one of these violations comes to refer to another instead."""
    named, linked = Violation.plate_read.in_(reads), Violation.id.in_(violations)
    used = select(Violation.plate_read).where(Violation.plate_read.is_not(None), or_(named, linked)).distinct()
    examine(connection, PlateRead.__tablename__, connection.execute(used).scalars().all())


def _chain_plates(connection: Connection, reads: list[UUID]) -> None:
    """Reads that violations refer to are part of a case."""
    used = select(Violation.plate_read).where(Violation.plate_read.in_(reads)).distinct()
    note(connection, PlateRead.__tablename__, connection.execute(used).scalars().all())


def _file_row(evidence: Evidence, file: Any) -> Row:
    return {
        "violation": evidence.violation,
        "name": file.name,
        "role": file.role,
        "media_type": file.media_type,
        "size": file.size,
        "sha256": file.sha256,
    }
