"""Users, and what is written on the audit trail. Passwords arrive here as hashes only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from pipeline.access import Role
from pipeline.errors import ConflictError
from pipeline.store.account_records import AuditEntry, UserRecord
from pipeline.store.account_tables import Audit, User
from pipeline.store.account_tables import Session as SessionTable
from pipeline.store.database import GATHERING, Database
from pipeline.store.encode import plain
from pipeline.store.gathering import Gathering

_APPEND = insert(Audit.rows())
CONFINED_ADMIN = "an administrator sees every camera; take the groups away, or choose another role"


class AccountStore(Database):
    """Each change of an account and its `audit` entry are one transaction."""

    def create_user(
        self,
        name: str,
        password_hash: str,
        role: Role,
        *,
        must_change_password: bool,
        groups: Collection[str] = (),
        issuer: str = "",
        subject: str | None = None,
        audit: AuditEntry | None = None,
    ) -> UserRecord:
        """Raises ConflictError when the name or the `subject` is taken, and for an administrator with groups."""
        if role is Role.ADMIN and groups:
            raise ConflictError(CONFINED_ADMIN)
        now = datetime.now(UTC)
        row = {
            "id": uuid4(),
            "name": name,
            "password_hash": password_hash,
            "role": role.value,
            "disabled": False,
            "must_change_password": must_change_password,
            "failed_logins": 0,
            "locked_until": None,
            "groups": sorted(groups),
            "password_set": now,
            "password_history": [],
            "totp_secret": "",
            "totp_step": None,
            "recovery_codes": [],
            "issuer": issuer,
            "subject": subject,
            "signed_in": None,
            "created": now,
            "updated": now,
        }
        with self.writing() as connection:
            statement = self.insert(User).values(row).on_conflict_do_nothing()
            if connection.execute(statement.returning(User.id)).first() is None:
                raise ConflictError(f"a user {name!r} exists already; choose another name")
            append_audit(connection, audit)
        return user_record(row)

    def users(self) -> tuple[UserRecord, ...]:
        """All users, by name."""
        with self.reading() as connection:
            rows = connection.execute(select(User.__table__).order_by(User.name)).mappings()
            return tuple(user_record(row) for row in rows)

    def user(self, user: UUID) -> UserRecord | None:
        with self.reading() as connection:
            return _find(connection, User.id == user)

    def user_named(self, name: str) -> UserRecord | None:
        with self.reading() as connection:
            return _find(connection, User.name == name)

    def user_of(self, issuer: str, subject: str) -> UserRecord | None:
        """The user whom an outside provider knows by `subject`."""
        with self.reading() as connection:
            return _find(connection, (User.issuer == issuer) & (User.subject == subject))

    def link_user(self, user: UUID, issuer: str, subject: str, audit: AuditEntry | None = None) -> bool:
        """Say who a user is at the provider that it was made for; False when that is said already."""
        open_to = update(User).where(User.id == user, User.issuer == issuer, User.subject.is_(None))
        with self.writing() as connection:
            done = connection.execute(open_to.values(subject=subject, updated=datetime.now(UTC))).rowcount == 1
            append_audit(connection, audit if done else None)
            return done

    def change_user(
        self,
        user: UUID,
        *,
        role: Role | None = None,
        groups: Collection[str] | None = None,
        disabled: bool | None = None,
        audit: AuditEntry | None = None,
    ) -> UserRecord | None:
        """Change a user, who is signed out everywhere; None when there is none.

        Raises ConflictError when no administrator would be left, or an administrator confined to groups.
        """
        values: dict[str, object] = {"role": role and role.value, "disabled": disabled}
        values |= {"groups": None if groups is None else sorted(groups)}
        values = {name: value for name, value in values.items() if value is not None}
        with self.writing() as connection:
            # Locked so that two administrators cannot remove each other at the same moment.
            admins = select(User.id).where(User.role == Role.ADMIN.value, User.disabled.is_(False)).with_for_update()
            loses_admin = disabled is True or (role is not None and role is not Role.ADMIN)
            if loses_admin and connection.execute(admins).scalars().all() == [user]:
                raise ConflictError("this is the last administrator; make another one first")
            change = update(User).where(User.id == user).values(**values, updated=datetime.now(UTC))
            if not connection.execute(change).rowcount:
                return None
            changed = _find(connection, User.id == user)
            if changed is not None and changed.role is Role.ADMIN and changed.groups:
                raise ConflictError(CONFINED_ADMIN)
            connection.execute(delete(SessionTable).where(SessionTable.user == user))
            append_audit(connection, audit)
            return changed

    def set_password(
        self,
        user: UUID,
        password_hash: str,
        *,
        must_change: bool,
        replaces: str | None = None,
        history: Sequence[str] = (),
        audit: AuditEntry | None = None,
    ) -> bool:
        """Replace the password, lift a lock, and sign the user out everywhere. `history` are the hashes of earlier
        passwords that are not to be taken again.

        False, and nothing is changed, when there is no such user or the hash is no longer `replaces`.
        """
        now = datetime.now(UTC)
        change = update(User).where(User.id == user)
        if replaces is not None:
            change = change.where(User.password_hash == replaces)
        values = {
            "password_hash": password_hash,
            "must_change_password": must_change,
            "password_set": now,
            "password_history": list(history),
            "failed_logins": 0,
            "locked_until": None,
            "updated": now,
        }
        with self.writing() as connection:
            if not connection.execute(change.values(values)).rowcount:
                return False
            connection.execute(delete(SessionTable).where(SessionTable.user == user))
            append_audit(connection, audit)
            return True

    def login_failed(self, user: UUID, *, allowed: int, lock_until: datetime) -> None:
        """Count a wrong password; the `allowed`-th in a row locks the account until `lock_until`."""
        with self.writing() as connection:
            change = update(User).where(User.id == user)
            connection.execute(change.values(failed_logins=User.failed_logins + 1))
            connection.execute(
                change.where(User.failed_logins >= allowed).values(failed_logins=0, locked_until=lock_until)
            )

    def login_succeeded(self, user: UUID, checked: str, new_hash: str | None = None) -> None:
        """Forget earlier failures; `new_hash` replaces a hash made with outdated settings.

        Nothing is changed when the hash is no longer the `checked` one.
        """
        values: dict[str, Any] = {"failed_logins": 0, "locked_until": None, "signed_in": datetime.now(UTC)}
        values |= {"password_hash": new_hash} if new_hash else {}
        with self.writing() as connection:
            connection.execute(update(User).where(User.id == user, User.password_hash == checked).values(values))

    def record_audit(
        self,
        actor: str,
        action: str,
        object_kind: str,
        object_id: str = "",
        *,
        detail: Mapping[str, object] | None = None,
        address: str = "",
    ) -> None:
        """Append to the audit trail; nothing, this program included, changes or deletes a row of it. What many
        threads tell at once is written together."""
        row = _audit_row(AuditEntry(actor, action, object_kind, object_id, detail or {}, address))
        gathering: Gathering[dict[str, Any]] = self.engine.get_execution_options()[GATHERING]
        gathering.put(row, self._append)

    def _append(self, rows: Sequence[dict[str, Any]]) -> None:
        with self.writing() as connection:
            connection.execute(_APPEND, rows)

    def has_users(self) -> bool:
        with self.reading() as connection:
            return bool(connection.execute(select(func.count()).select_from(User)).scalar_one())


def append_audit(connection: Connection, entry: AuditEntry | None) -> None:
    """Write the entry, if there is one, in the transaction of what it tells of."""
    if entry is not None:
        connection.execute(_APPEND, _audit_row(entry))


def _audit_row(entry: AuditEntry) -> dict[str, Any]:
    return {
        "time": datetime.now(UTC),
        "actor": entry.actor,
        "action": entry.action,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "detail": plain(entry.detail),
        "address": entry.address,
    }


def _find(connection: Connection, condition: object) -> UserRecord | None:
    row = connection.execute(select(User.__table__).where(condition)).mappings().one_or_none()  # type: ignore[arg-type]
    return None if row is None else user_record(row)


def user_record(row: Mapping[str, object] | RowMapping) -> UserRecord:
    return UserRecord(**{**row, "role": Role(row["role"])})  # type: ignore[arg-type]
