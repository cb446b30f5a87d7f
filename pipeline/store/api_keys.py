"""The keys of machines. They arrive here as hashes only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, or_, select, update

from pipeline.errors import ConflictError
from pipeline.store.account_records import ApiKeyRecord, AuditEntry
from pipeline.store.account_tables import ApiKey, User
from pipeline.store.accounts import append_audit, user_record
from pipeline.store.database import Database

OWN = ("id", "name", "beginning", "scopes", "groups", "created", "expires", "used", "revoked")
USED_EVERY = timedelta(minutes=1)


class ApiKeyStore(Database):
    def create_api_key(
        self,
        name: str,
        owner: UUID,
        key_sha256: str,
        beginning: str,
        scopes: Sequence[str],
        groups: Sequence[str],
        expires: datetime,
        *,
        audit: AuditEntry,
    ) -> UUID:
        """Raises ConflictError when the name is taken: the audit trail knows keys by it, so no two ever share one."""
        row = {"id": uuid4(), "name": name, "owner": owner, "key_sha256": key_sha256, "beginning": beginning}
        row |= {"scopes": list(scopes), "groups": list(groups), "created": datetime.now(UTC), "expires": expires}
        with self.writing() as connection:
            statement = self.insert(ApiKey).values(row).on_conflict_do_nothing(index_elements=["name"])
            made: UUID | None = connection.execute(statement.returning(ApiKey.id)).scalar_one_or_none()
            if made is None:
                raise ConflictError(f"there is or was a key {name!r} already; choose another name")
            append_audit(connection, audit)
            return made

    def api_key(self, key_sha256: str) -> ApiKeyRecord | None:
        """The key that is in force, with its owner, who is not disabled; else None."""
        now = datetime.now(UTC)
        living = _keys().where(ApiKey.key_sha256 == key_sha256, ApiKey.revoked.is_(None), User.disabled.is_(False))
        with self.reading() as connection:
            row = (
                connection.execute(living.where(or_(ApiKey.expires.is_(None), ApiKey.expires > now)))
                .mappings()
                .one_or_none()
            )
        if row is None:
            return None
        found = _record(row)
        if found.used is None or now - found.used > USED_EVERY:  # not with every request: each writes
            with self.writing_apart() as connection:
                connection.execute(update(ApiKey).where(ApiKey.id == found.id).values(used=now))
        return found

    def api_keys(self, owner: UUID | None = None) -> tuple[ApiKeyRecord, ...]:
        """All keys, or those of one user, also the revoked ones; the newest first."""
        statement = _keys().order_by(ApiKey.created.desc(), ApiKey.id)
        with self.reading() as connection:
            rows = connection.execute(statement if owner is None else statement.where(ApiKey.owner == owner)).mappings()
            return tuple(_record(row) for row in rows)

    def revoke_api_key(self, key: UUID, *, audit: AuditEntry) -> bool:
        """End a key for good; False when there is no such key in force."""
        living = update(ApiKey).where(ApiKey.id == key, ApiKey.revoked.is_(None))
        with self.writing() as connection:
            done = connection.execute(living.values(revoked=datetime.now(UTC))).rowcount == 1
            append_audit(connection, audit if done else None)
            return done


def _keys() -> Select[Any]:
    own = (getattr(ApiKey, name).label(f"key_{name}") for name in OWN)
    return select(User.__table__, *own).join(ApiKey, ApiKey.owner == User.id)


def _record(row: Mapping[Any, Any]) -> ApiKeyRecord:
    owner = {name: value for name, value in row.items() if not name.startswith("key_")}
    return ApiKeyRecord(owner=user_record(owner), **{name: row[f"key_{name}"] for name in OWN})
