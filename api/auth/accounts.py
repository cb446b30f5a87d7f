"""Accounts made and mended from outside the desk: the first ones, and by whoever runs the machine."""

from __future__ import annotations

from collections.abc import Collection

from api.auth.passwords import Passwords, one_time_password
from api.auth.sessions import USER_NAME
from pipeline.errors import ConflictError, QueryError
from pipeline.store import Repository, Role
from pipeline.store.account_records import AuditEntry, UserRecord

CONSOLE = "console"
"""The actor of what is done at the machine itself, where nobody signs in."""


def create_first_users(repository: Repository, roles: Collection[Role] = (Role.ADMIN,)) -> dict[str, str]:
    """On a database without users, make one of each role, named like it, and return the one-time passwords by name.

    The passwords must be changed at the first login. They are returned once and kept nowhere.
    """
    if repository.has_users():
        return {}
    made = {}
    for role in roles:
        try:
            made[role.value] = create_user(repository, role.value, role)
        except ConflictError:  # another process was quicker, and told its own password
            continue
    return made


def create_user(repository: Repository, name: str, role: Role, groups: Collection[str] = ()) -> str:
    """Make an account and return its one-time password. Raises ConflictError when the name is taken, QueryError for
    one that is no name."""
    if not USER_NAME.fullmatch(name):
        raise QueryError(f"{name!r} is no name of a user: small letters, digits, and . _ - but not at its beginning")
    password = one_time_password()
    audit = AuditEntry(CONSOLE, "user.create", "user", name, {"role": role, "groups": sorted(groups)})
    hashed = Passwords().hash(password)
    repository.create_user(name, hashed, role, must_change_password=True, groups=groups, audit=audit)
    return password


def reset_user(repository: Repository, name: str) -> str:
    """Give a user a one-time password, take the second factor away and sign the user out everywhere.

    Raises QueryError when there is no such user.
    """
    user = repository.user_named(name)
    if user is None:
        raise QueryError(f"there is no user {name!r}")
    password = one_time_password()
    repository.set_second_factor(
        user.id, "", None, (), audit=AuditEntry(CONSOLE, "user.second_factor.reset", "user", name)
    )
    audit = AuditEntry(CONSOLE, "user.password.reset", "user", name)
    repository.set_password(
        user.id, Passwords().hash(password), must_change=True, history=earlier_passwords(user), audit=audit
    )
    return password


def earlier_passwords(user: UserRecord) -> list[str]:
    """The hashes of all passwords that a user has had, as far back as they are kept, when another takes their place."""
    return [each for each in (user.password_hash, *user.password_history) if each]
