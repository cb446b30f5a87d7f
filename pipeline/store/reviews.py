"""How people get on with violations: decisions, locks, assignment, corrections, and the history of it all."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from pipeline.errors import ConflictError, QueryError
from pipeline.review import Action, Case, Decision, ReviewPolicy, State, decide
from pipeline.store.account_records import AuditEntry
from pipeline.store.accounts import append_audit
from pipeline.store.database import Database
from pipeline.store.encode import plain
from pipeline.store.review_records import ReviewRecord, ReviewStep
from pipeline.store.review_tables import Review, ReviewAction
from pipeline.store.tables import Violation

UNTOUCHED: Mapping[str, Any] = {
    "version": 0,
    "assignee": "",
    "lock_holder": "",
    "lock_until": None,
    "asked_by": "",
    "first_reviewer": "",
    "first_plate": "",
    "second_reviewer": "",
    "disputed": False,
    "plate": None,
    "vehicle": None,
    "corrected_start": None,
    "reason": "",
    "duplicate_of": None,
    "notified": None,
}
_SEEN = (Violation.id, Violation.review_state, Violation.kind, Violation.track, Violation.start, Violation.plate_read)

# Built once: that takes several times as long as to carry them out.
_VIOLATION = select(*_SEEN).where(Violation.id == bindparam("violation"))
_LOCKED = _VIOLATION.with_for_update()
_REVIEW = select(Review.__table__).where(Review.violation == bindparam("violation"))
_VIOLATIONS = select(*_SEEN).where(Violation.id.in_(bindparam("violations", expanding=True)))
_REVIEWS = select(Review.__table__).where(Review.violation.in_(bindparam("violations", expanding=True)))
_HISTORY = (
    select(ReviewAction.__table__).where(ReviewAction.violation == bindparam("violation")).order_by(ReviewAction.id)
)


class ReviewStore(Database):
    """Every change takes the `version` that its officer saw, and is one transaction with its step in the history
    and its `audit` entry. `now` is the clock of whoever asks. Each raises ConflictError when the case was changed
    meanwhile or another officer holds it, and QueryError when there is no such violation."""

    def review(self, violation: UUID) -> ReviewRecord | None:
        """The review of a violation, at version 0 when nobody has touched it; None when there is no violation."""
        with self.reading() as connection:
            return _find(connection, violation, lock=False)

    def reviews(self, violations: Collection[UUID]) -> dict[UUID, ReviewRecord]:
        """The reviews of many violations."""
        wanted = {"violations": list(violations)}
        with self.reading() as connection:
            rows = {row["violation"]: row for row in connection.execute(_REVIEWS, wanted).mappings()}
            seen = connection.execute(_VIOLATIONS, wanted).mappings()
            return {row["id"]: _record(row, rows.get(row["id"])) for row in seen}

    def review_history(self, violation: UUID) -> tuple[ReviewStep, ...]:
        """All steps, oldest first."""
        with self.reading() as connection:
            return tuple(ReviewStep(**row) for row in connection.execute(_HISTORY, {"violation": violation}).mappings())

    def decide_review(
        self,
        violation: UUID,
        decision: Decision,
        policy: ReviewPolicy,
        *,
        version: int,
        now: datetime,
        audit: AuditEntry | None = None,
    ) -> ReviewRecord:
        """Take a decision, as review.decide has it; the lock on the case ends with it."""
        with self.writing() as connection:
            known = _claim(connection, violation, decision.actor, version, now)
            repeats = decision.duplicate_of if decision.action is Action.DUPLICATE else ""
            original = _original(connection, violation, repeats)
            case = decide(known.case, decision, policy)
            changed = {
                "asked_by": case.asked_by,
                "first_reviewer": case.first_reviewer,
                "first_plate": case.first_plate,
                "second_reviewer": case.second_reviewer,
                "disputed": case.disputed,
                "plate": case.plate,
                "reason": case.reason,
                "duplicate_of": original,
                "notified": now if case.state is State.FORWARDED else known.notified,
                "lock_holder": "",
                "lock_until": None,
            }
            step = {
                "action": decision.action.value,
                "after": case.state.value,
                "reason": case.reason,
                "note": decision.note,
                "detail": {"plate": decision.plate, "duplicate_of": original and str(original)},
            }
            connection.execute(update(Violation).where(Violation.id == violation).values(review_state=case.state.value))
            return self._take_step(connection, known, decision.actor, changed, step, now, audit)

    def correct_review(
        self,
        violation: UUID,
        actor: str,
        corrections: Mapping[str, object],
        *,
        version: int,
        now: datetime,
        note: str = "",
        audit: AuditEntry | None = None,
    ) -> ReviewRecord:
        """Put right the `plate`, the `vehicle` or the `corrected_start`; what the machine saw stays as it is."""
        with self.writing() as connection:
            known = _claim(connection, violation, actor, version, now)
            if known.state not in (State.FLAGGED, State.SECOND_REVIEW, State.ACCEPTED):
                raise ConflictError(f"a case that is {known.state} is no longer corrected")
            if known.state is State.ACCEPTED and known.case.second_reviewer and "plate" in corrections:
                raise ConflictError("two officers confirmed this plate; a senior reviewer has to reopen the case")
            before = {name: getattr(known, name) for name in corrections}
            step = {
                "action": "correct",
                "after": known.state.value,
                "note": note,
                "detail": {"from": before, "to": corrections},
            }
            return self._take_step(connection, known, actor, corrections, step, now, audit)

    def assign_review(
        self,
        violation: UUID,
        actor: str,
        assignee: str,
        *,
        version: int,
        now: datetime,
        audit: AuditEntry | None = None,
    ) -> ReviewRecord:
        """Give the case to an officer, or with "" to nobody."""
        with self.writing() as connection:
            known = _claim(connection, violation, actor, version, now)
            step = {"action": "assign", "after": known.state.value, "detail": {"assignee": assignee}}
            return self._take_step(connection, known, actor, {"assignee": assignee}, step, now, audit)

    def lock_review(self, violation: UUID, actor: str, until: datetime, *, now: datetime) -> ReviewRecord:
        """Hold the case while working on it, until then at most; taken again it is held longer. No step of the
        history, and the version stays: nothing about the case has changed."""
        with self.writing() as connection:
            known = _claim(connection, violation, actor, None, now)
            held = {"lock_holder": actor, "lock_until": until, "updated": now}
            return _changed(known, known.state, self._put_review(connection, violation, held))

    def release_review(self, violation: UUID, actor: str, *, now: datetime) -> None:
        """Let go of the case; nothing happens when `actor` does not hold it."""
        held = (Review.violation == violation, Review.lock_holder == actor)
        with self.reading() as connection:
            if connection.execute(select(Review.violation).where(*held)).first() is None:
                return  # most often: a decision has let go of it already
        with self.writing() as connection:
            connection.execute(update(Review).where(*held).values(lock_holder="", lock_until=None, updated=now))

    def _take_step(
        self,
        connection: Connection,
        known: ReviewRecord,
        actor: str,
        changed: Mapping[str, object],
        step: Mapping[str, Any],
        now: datetime,
        audit: AuditEntry | None,
    ) -> ReviewRecord:
        values = {**changed, "version": known.version + 1, "updated": now}
        review = self._put_review(connection, known.violation, values)
        row = {"violation": known.violation, "time": now, "actor": actor, "before": known.state.value}
        row |= {"reason": "", "note": "", **step}
        connection.execute(insert(ReviewAction.rows()), {**row, "detail": plain(step["detail"])})
        append_audit(connection, audit)
        return _changed(known, State(step["after"]), review)

    def _put_review(self, connection: Connection, violation: UUID, values: Mapping[str, object]) -> RowMapping:
        """The row as it stands then."""
        statement = self.insert(Review).values({"violation": violation, **UNTOUCHED, **values})
        statement = statement.on_conflict_do_update(index_elements=["violation"], set_=dict(values))
        return connection.execute(statement.returning(*Review.rows().columns)).mappings().one()


def _claim(connection: Connection, violation: UUID, actor: str, version: int | None, now: datetime) -> ReviewRecord:
    """The review, locked in the database for a change by this officer."""
    known = _find(connection, violation, lock=True)
    if known is None:
        raise QueryError(f"there is no violation {violation}")
    if known.lock_holder not in ("", actor) and known.lock_until is not None and known.lock_until > now:
        raise ConflictError(f"{known.lock_holder} is working on this case")
    if version is not None and version != known.version:
        last = select(ReviewAction.actor, ReviewAction.action).where(ReviewAction.violation == violation)
        row = connection.execute(last.order_by(ReviewAction.id.desc()).limit(1)).one_or_none()
        who = f"{row.actor} ({row.action})" if row else "somebody"
        raise ConflictError(f"{who} changed this case meanwhile; look at it again")
    return known


def _original(connection: Connection, violation: UUID, wanted: str) -> UUID | None:
    """The case that this one repeats: never itself, nor one that is a duplicate in its turn."""
    if not wanted:
        return None
    try:
        original = UUID(wanted)
    except ValueError:
        raise QueryError(f"duplicate_of: {wanted!r} is no id of a violation") from None
    state = connection.execute(select(Violation.review_state).where(Violation.id == original)).scalar_one_or_none()
    if state is None:
        raise QueryError(f"duplicate_of: there is no violation {original}")
    if original == violation:
        raise QueryError("duplicate_of: a case does not repeat itself; name the other one")
    if state == State.DUPLICATE.value:
        raise ConflictError("the other case is itself a duplicate; name the one that it repeats")
    return original


def _find(connection: Connection, violation: UUID, *, lock: bool) -> ReviewRecord | None:
    wanted = {"violation": violation}
    # PostgreSQL has the violation's row locked, since the review's may not exist yet; SQLite has one writer.
    seen = connection.execute(_LOCKED if lock else _VIOLATION, wanted).mappings().one_or_none()
    if seen is None:
        return None
    row = connection.execute(_REVIEW, wanted).mappings().one_or_none()
    return _record(seen, row)


def _record(seen: RowMapping, row: RowMapping | None) -> ReviewRecord:
    plated = seen["track"] is not None
    state, detected, read = State(seen["review_state"]), seen["start"], seen["plate_read"]
    return _review(row, seen["id"], seen["kind"], state, plated=plated, detected=detected, read=read)


def _changed(known: ReviewRecord, state: State, row: RowMapping) -> ReviewRecord:
    """The review as it stands after a change, without asking for it again."""
    case = known.case
    detected, read = known.detected, known.plate_read
    return _review(row, known.violation, case.kind, state, plated=case.plated, detected=detected, read=read)


def _review(
    row: RowMapping | None,
    violation: UUID,
    kind: str,
    state: State,
    *,
    plated: bool,
    detected: datetime,
    read: UUID | None,
) -> ReviewRecord:
    values: Mapping[str, Any] = {"updated": None, **UNTOUCHED, **(row or {}), "violation": violation}
    case = Case(
        kind=kind,
        state=state,
        plated=plated,
        asked_by=values["asked_by"],
        first_reviewer=values["first_reviewer"],
        first_plate=values["first_plate"],
        second_reviewer=values["second_reviewer"],
        disputed=values["disputed"],
        plate=values["plate"],
        reason=values["reason"],
        duplicate_of=str(values["duplicate_of"] or ""),
    )
    own = (field.name for field in fields(ReviewRecord) if field.name not in {"case", "detected", "plate_read"})
    return ReviewRecord(case=case, detected=detected, plate_read=read, **{name: values[name] for name in own})
