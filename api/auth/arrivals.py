"""Whose account somebody gets who comes back from a provider of identities."""

from __future__ import annotations

from api.auth.lockout import Caller
from api.auth.oidc import Arrival
from api.auth.refusals import Refusal
from api.auth.sessions import USER_NAME, Sessions, SignedIn
from pipeline.access import OidcPolicy, Role
from pipeline.errors import ConflictError
from pipeline.store import Repository
from pipeline.store.account_records import AuditEntry, UserRecord

NO_ACCOUNT = "there is no account for you here; ask an administrator"
NAME_TAKEN = "an account of another has your name; ask an administrator"
NO_NAME = "your name at the provider is no name here: small letters, digits, and . _ -"
DISABLED = "your account here is disabled"


def enter(repository: Repository, sessions: Sessions, policy: OidcPolicy, arrival: Arrival, caller: Caller) -> SignedIn:
    """Sign in whoever has arrived. The account is found by the provider's own subject, never by name alone, except
    once for one that an administrator made for this provider and that nobody has used.

    Raises Refusal 403 when there is no account for them, and ConflictError as AccountStore.change_user does.
    """
    user = repository.user_of(policy.issuer, arrival.subject) or _first_time(repository, policy, arrival, caller)
    if user.disabled:
        raise Refusal(403, DISABLED)
    user = _brought_up_to_date(repository, user, arrival, caller)
    if user.second_factor:
        return sessions.begin_half(user, caller)
    repository.login_succeeded(user.id, user.password_hash)
    return sessions.enter(user, "cookie", caller, instead_of=None)


def _first_time(repository: Repository, policy: OidcPolicy, arrival: Arrival, caller: Caller) -> UserRecord:
    if not USER_NAME.fullmatch(arrival.name):
        raise Refusal(403, NO_NAME)
    known = repository.user_named(arrival.name)
    if known is None:
        if not policy.create_users or arrival.role is None:
            raise Refusal(403, NO_ACCOUNT)
        return _created(repository, policy, arrival, arrival.role, caller)
    audit = AuditEntry(known.name, "user.link", "user", known.name, {"issuer": policy.issuer}, caller.address)
    if not repository.link_user(known.id, policy.issuer, arrival.subject, audit):
        raise Refusal(403, NAME_TAKEN)
    linked = repository.user(known.id)
    assert linked is not None  # noqa: S101  it has just been written
    return linked


def _created(repository: Repository, policy: OidcPolicy, arrival: Arrival, role: Role, caller: Caller) -> UserRecord:
    groups = arrival.groups or ()
    detail = {"role": role, "groups": groups, "issuer": policy.issuer}
    audit = AuditEntry(arrival.name, "user.create", "user", arrival.name, detail, caller.address)
    try:
        return repository.create_user(
            arrival.name,
            "",
            role,
            must_change_password=False,
            groups=groups,
            issuer=policy.issuer,
            subject=arrival.subject,
            audit=audit,
        )
    except ConflictError:
        raise Refusal(403, NAME_TAKEN) from None


def _brought_up_to_date(repository: Repository, user: UserRecord, arrival: Arrival, caller: Caller) -> UserRecord:
    """The user with the rights that the provider gives now; whoever has got others is signed out everywhere."""
    role = arrival.role or user.role
    groups = tuple(user.groups) if arrival.groups is None else arrival.groups
    if (role, groups) == (user.role, tuple(user.groups)):
        return user
    audit = AuditEntry(user.name, "user.change", "user", user.name, {"role": role, "groups": groups}, caller.address)
    changed = repository.change_user(user.id, role=role, groups=groups, audit=audit)
    if changed is None:
        raise Refusal(403, NO_ACCOUNT)
    return changed
