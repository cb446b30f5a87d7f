"""What retention may take away, and the steps in which it does: mark, re-check, remove, explain."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, exists, func, or_, select, update

from pipeline.errors import ConflictError
from pipeline.store.account_records import AuditEntry
from pipeline.store.accounts import append_audit
from pipeline.store.chain_erasure import examine_case, forget_case
from pipeline.store.database import Database
from pipeline.store.notification_tables import Announcement
from pipeline.store.notification_tables import Notification as Outbox
from pipeline.store.operation_tables import CameraAlert, LegalHold, Removal
from pipeline.store.review_tables import Review, ReviewAction
from pipeline.store.tables import Camera, CountSample, Evidence, EvidenceFile, PlateRead, Run, Violation

ACTOR = "retention"
DISCARDED = ("rejected", "duplicate")
UNDECIDED = ("flagged",)
CLOSED = ("closed",)
REMOVABLE = (*DISCARDED, *UNDECIDED, *CLOSED)
"""Cases in any other state stay: somebody works on them, or they were handed on."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case that may go; `bytes` is what its evidence takes, `folder` is "" when it has none."""

    violation: UUID
    camera: str
    state: str
    folder: str
    bytes: int


@dataclass(frozen=True, slots=True)
class PendingRemoval:
    """A removal that was begun. `folder` as in Candidate."""

    violation: UUID
    camera: str
    folder: str
    bytes: int
    reason: str


class RetentionStore(Database):
    """A removal: `mark_removals`, then the evidence is set aside, then `remove` decides under a lock and takes the
    rows, then the evidence is destroyed, then `finish_removal`. What a kill leaves is found by `pending_removals`,
    and every step may be done again."""

    def removable(
        self,
        states: Collection[str],
        before: datetime,
        *,
        camera: str | None = None,
        passed_over: Collection[UUID] = (),
        limit: int = 200,
    ) -> tuple[Candidate, ...]:
        """The oldest cases in these states that ended, and were last touched by an officer, before this moment. Not
        those under a legal hold, held by an officer, that are the original of a duplicate, or that have nothing left
        to remove."""
        size = select(func.coalesce(func.sum(EvidenceFile.size), 0)).where(EvidenceFile.violation == Violation.id)
        statement = (
            select(
                Violation.id.label("violation"),
                Violation.camera,
                Violation.review_state.label("state"),
                func.coalesce(Evidence.folder, "").label("folder"),
                size.scalar_subquery().label("bytes"),
            )
            .outerjoin(Evidence, Evidence.violation == Violation.id)
            .where(Violation.review_state.in_(states), _old(before), _free(), _something_left())
            .order_by(Violation.start, Violation.id)
            .limit(limit)
        )
        if camera is not None:
            statement = statement.where(Violation.camera == camera)
        if passed_over:
            statement = statement.where(Violation.id.not_in(passed_over))
        with self.reading() as connection:
            return tuple(Candidate(**row) for row in connection.execute(statement).mappings())

    def mark_removals(self, candidates: Sequence[Candidate], reason: str, now: datetime) -> None:
        """Write down what is going to be removed, before anything is. `now` is the moment at which the candidates
        were asked for: who touches a case after it keeps it."""
        rows = [
            {
                "subject": one.violation,
                "camera": one.camera,
                "folder": one.folder,
                "bytes": one.bytes,
                "reason": reason,
                "state": "marked",
                "marked": now,
                "finished": None,
            }
            for one in candidates
        ]
        statement = self.insert(Removal)
        new = {name: statement.excluded[name] for name in rows[0] if name != "subject"} if rows else {}
        with self.writing() as connection:
            if rows:
                connection.execute(statement.on_conflict_do_update(index_elements=["subject"], set_=new), rows)

    def pending_removals(self, limit: int = 200) -> tuple[PendingRemoval, ...]:
        """Removals that were begun and are not finished, oldest first."""
        columns = (Removal.subject.label("violation"), Removal.camera, Removal.folder, Removal.bytes, Removal.reason)
        statement = select(*columns).where(Removal.state != "removed").order_by(Removal.marked, Removal.subject)
        with self.reading() as connection:
            return tuple(PendingRemoval(**row) for row in connection.execute(statement.limit(limit)).mappings())

    def remove(self, removal: PendingRemoval, now: datetime) -> bool:
        """Take the rows of a marked case, and write it on the audit trail; False, and nothing is changed, when
        somebody has taken the case up since the mark. What is gone already counts as taken, and is not written again.

        A case that nobody ever decided goes as a whole. Of a decided one the row and its history stay, without the
        files; a rejected one also loses its plate.
        """
        violation = removal.violation
        with self.writing() as connection:
            found = select(Violation.review_state, Violation.plate_read).where(Violation.id == violation)
            state, read = connection.execute(found.with_for_update()).one_or_none() or (None, None)
            if state is None or _is_taken(connection, violation):
                return True
            allowed = select(Violation.id).where(Violation.id == violation, Violation.review_state.in_(REMOVABLE))
            if connection.execute(allowed.where(_free(), _untouched_since_the_mark())).first() is None:
                connection.execute(delete(Removal).where(Removal.subject == violation))
                return False
            examine_case(connection, violation, read)
            connection.execute(delete(EvidenceFile).where(EvidenceFile.violation == violation))
            connection.execute(update(Removal).where(Removal.subject == violation).values(state="taken"))
            decided = connection.execute(select(exists().where(ReviewAction.violation == violation))).scalar_one()
            if decided:
                _empty(connection, violation, state, removal.reason, now)
            else:
                for table in (Evidence, Review):
                    connection.execute(delete(table).where(table.violation == violation))
                connection.execute(delete(Violation).where(Violation.id == violation))
            if not decided or state in DISCARDED:
                forget_case(connection, violation, read, removal.reason)
            detail = {
                **{name: getattr(removal, name) for name in ("reason", "camera", "folder", "bytes")},
                "state": state,
                "row": "kept without files" if decided else "deleted",
            }
            append_audit(connection, AuditEntry(ACTOR, "violation.removed", "violation", str(violation), detail))
            return True

    def finish_removal(self, violation: UUID, now: datetime) -> None:
        """Its evidence is destroyed; the removal stays as the explanation."""
        with self.writing() as connection:
            change = update(Removal).where(Removal.subject == violation)
            connection.execute(change.values(state="removed", finished=now))

    def removal_reasons(self, violations: Collection[UUID]) -> dict[UUID, str]:
        """Why and when these violations were removed, of those that were."""
        columns = (Removal.subject, Removal.reason, Removal.marked)
        statement = select(*columns).where(Removal.subject.in_(violations))
        with self.reading() as connection:
            rows = connection.execute(statement).all()
            return {row.subject: f"{row.reason}; removed on {row.marked:%Y-%m-%d}" for row in rows}

    def evidence_bytes(self) -> int:
        """What all recorded evidence takes."""
        with self.reading() as connection:
            return int(connection.execute(select(func.coalesce(func.sum(EvidenceFile.size), 0))).scalar_one())

    def known_evidence(self, violations: Collection[UUID]) -> frozenset[UUID]:
        """Those of these violations that have an evidence row."""
        statement = select(Evidence.violation).where(Evidence.violation.in_(violations))
        with self.reading() as connection:
            return frozenset(connection.execute(statement).scalars())

    def plate_pictures(self, reads: Collection[UUID]) -> dict[UUID, str]:
        """The `crop_file` of those of these plate reads that are stored; "" where a read has no picture."""
        statement = select(PlateRead.id, PlateRead.crop_file).where(PlateRead.id.in_(reads))
        with self.reading() as connection:
            return {row.id: row.crop_file for row in connection.execute(statement)}

    def abandoned_cameras(self, configured: Collection[str], since: datetime) -> tuple[str, ...]:
        """The cameras besides these on which no run has been at work since this moment."""
        at_work = exists().where(Run.camera == Camera.id, Run.updated >= since)
        statement = select(Camera.id).where(Camera.id.not_in(configured), ~at_work).order_by(Camera.id)
        with self.reading() as connection:
            return tuple(connection.execute(statement).scalars())

    def delete_counts(self, camera: str, before: datetime, *, limit: int = 10_000) -> int:
        """Delete samples of a camera from before this media time; how many there were, at most `limit`."""
        old = select(CountSample.id).where(CountSample.camera == camera, CountSample.time < before).limit(limit)
        with self.writing() as connection:
            return connection.execute(delete(CountSample).where(CountSample.id.in_(old))).rowcount

    def count_counts(self, camera: str, before: datetime) -> int:
        return self._count(select(func.count()).where(CountSample.camera == camera, CountSample.time < before))

    def delete_alerts(self, before: datetime) -> int:
        """Delete faults of cameras that were over before this moment; how many there were."""
        with self.writing() as connection:
            return connection.execute(delete(CameraAlert).where(CameraAlert.end < before)).rowcount

    def count_alerts(self, before: datetime) -> int:
        return self._count(select(func.count()).where(CameraAlert.end < before))

    def count_announcements(self, before: datetime) -> int:
        """Those that forget_notifications would delete."""
        waits = select(Outbox.announcement).where(Outbox.state.in_(("waiting", "held")))
        old = select(func.count()).where(Announcement.created < before, Announcement.id.not_in(waits))
        return self._count(old)

    def hold_violation(self, violation: UUID, reason: str, actor: str) -> None:
        """Put a violation under a legal hold. Raises ConflictError when there is none such."""
        now = datetime.now(UTC)
        row = {"violation": violation, "actor": actor, "reason": reason, "created": now}
        with self.writing() as connection:
            if connection.execute(select(Violation.id).where(Violation.id == violation)).first() is None:
                raise ConflictError(f"there is no violation {violation}")
            statement = self.insert(LegalHold).values(row)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["violation"], set_={"reason": reason, "actor": actor})
            )
            entry = AuditEntry(actor, "violation.held", "violation", str(violation), {"reason": reason})
            append_audit(connection, entry)

    def release_violation(self, violation: UUID, actor: str) -> bool:
        """Lift a legal hold; False when there was none."""
        with self.writing() as connection:
            if not connection.execute(delete(LegalHold).where(LegalHold.violation == violation)).rowcount:
                return False
            append_audit(connection, AuditEntry(actor, "violation.released", "violation", str(violation)))
            return True

    def legal_holds(self) -> tuple[tuple[UUID, str, str, datetime], ...]:
        """Violation, reason, who, when; the oldest first."""
        columns = (LegalHold.violation, LegalHold.reason, LegalHold.actor, LegalHold.created)
        with self.reading() as connection:
            rows = connection.execute(select(*columns).order_by(LegalHold.created, LegalHold.violation)).all()
            return tuple((row.violation, row.reason, row.actor, row.created) for row in rows)

    def audit_retention(self, action: str, detail: dict[str, Any]) -> None:
        """Write on the audit trail what was removed in bulk."""
        with self.writing() as connection:
            append_audit(connection, AuditEntry(ACTOR, action, "retention", "", detail))

    def _count(self, statement: Select[int]) -> int:
        with self.reading() as connection:
            return connection.execute(statement).scalar_one()


def _old(before: datetime) -> ColumnElement[bool]:
    """All cases count from their end and from the last time that an officer touched them: one that was reopened for
    an appeal, or corrected, is as young as that."""
    touched = select(Review.updated).where(Review.violation == Violation.id).scalar_subquery()
    untouched = case((Violation.review_state.in_(UNDECIDED), Violation.end), else_=Violation.updated)
    return and_(Violation.end < before, func.coalesce(touched, untouched) < before)


def _free() -> ColumnElement[bool]:
    busy = and_(Review.violation == Violation.id, or_(Review.assignee != "", Review.lock_until > datetime.now(UTC)))
    return and_(
        ~exists().where(LegalHold.violation == Violation.id),
        ~exists().where(Review.duplicate_of == Violation.id),
        or_(Violation.review_state.not_in(UNDECIDED), ~exists().where(busy)),
    )


def _untouched_since_the_mark() -> ColumnElement[bool]:
    mark, touched = Removal.subject == Violation.id, Review.violation == Violation.id
    return ~exists().where(mark, touched, Review.updated > Removal.marked)


def _something_left() -> ColumnElement[bool]:
    return or_(
        exists().where(EvidenceFile.violation == Violation.id), ~exists().where(ReviewAction.violation == Violation.id)
    )


def _is_taken(connection: Connection, violation: UUID) -> bool:
    """Whether a pass before took the rows; what was recorded anew since then is a case like any other."""
    mark = select(Removal.state).where(Removal.subject == violation)
    files = select(exists().where(EvidenceFile.violation == violation))
    taken = connection.execute(mark).scalar_one_or_none() == "taken"
    return taken and not connection.execute(files).scalar_one()


def _empty(connection: Connection, violation: UUID, state: str, reason: str, now: datetime) -> None:
    note = f"removed on {now:%Y-%m-%d}: {reason}"
    connection.execute(update(Evidence).where(Evidence.violation == violation).values(note=note, updated=now))
    if state in DISCARDED:
        none = {"plate_read": None, "plate_text": None, "plate_key": None, "plate_confidence": None}
        connection.execute(update(Violation).where(Violation.id == violation).values(**none))
