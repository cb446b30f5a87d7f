"""The second factors of users. Secrets arrive here sealed, recovery codes as hashes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import delete, or_, select, update

from pipeline.store.account_records import AuditEntry
from pipeline.store.account_tables import Session, User
from pipeline.store.accounts import append_audit
from pipeline.store.database import Database


class SecondFactorStore(Database):
    def set_second_factor(
        self, user: UUID, secret: str, step: int | None, recovery_codes: Sequence[str], *, audit: AuditEntry
    ) -> None:
        """Put a secret in force, "" for none; `step` is that of the code which proved it. The user is signed out
        everywhere."""
        values = {"totp_secret": secret, "totp_step": step, "recovery_codes": list(recovery_codes)}
        with self.writing() as connection:
            connection.execute(update(User).where(User.id == user).values(**values, updated=datetime.now(UTC)))
            connection.execute(delete(Session).where(Session.user == user))
            append_audit(connection, audit)

    def use_totp_step(self, user: UUID, step: int) -> bool:
        """Take note that the code of this step was used; False when it, or a later one, was used before."""
        fresh = update(User).where(User.id == user, or_(User.totp_step.is_(None), User.totp_step < step))
        with self.writing() as connection:
            return connection.execute(fresh.values(totp_step=step)).rowcount == 1

    def use_recovery_code(self, user: UUID, code: str) -> bool:
        """Strike the code off the list; False when it is not on it."""
        left = select(User.recovery_codes).where(User.id == user).with_for_update()
        with self.writing() as connection:
            codes = connection.execute(left).scalar_one_or_none() or []
            if code not in codes:
                return False
            rest = [each for each in codes if each != code]
            connection.execute(update(User).where(User.id == user).values(recovery_codes=rest))
            return True
