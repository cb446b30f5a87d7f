"""What routes work with: the open database and what is built on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from api.auth.passwords import Passwords
from api.auth.sessions import Sessions
from api.settings import Settings
from pipeline.evidence.archive import Archive, EvidenceFiles
from pipeline.store import Repository
from pipeline.store.account_records import AuditEntry


@dataclass(frozen=True, slots=True)
class Services:
    """`repository` is confined to the cameras that whoever asks may see, but the sign-in's own."""

    settings: Settings
    repository: Repository
    passwords: Passwords
    sessions: Sessions
    evidence: EvidenceFiles

    @classmethod
    def open(cls, settings: Settings) -> Services:
        """Raises StoreError when the database cannot be opened, ArchiveError when the archive is of no known kind."""
        repository = Repository.open(settings.database_url.get_secret_value())
        passwords = Passwords()
        return cls(settings, repository, passwords, Sessions(repository, settings, passwords), evidence_files(settings))


def evidence_files(settings: Settings) -> EvidenceFiles:
    """Where evidence is read from."""
    archive = None
    if settings.archive_url:
        options = {name: value.get_secret_value() for name, value in settings.archive_options.items()}
        archive = Archive(settings.archive_url, options)
    return EvidenceFiles(settings.evidence_root, archive, settings.archive_cache)


def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)  # noqa: S101  the app's lifespan sets it before the first request
    return services


UnconfinedServicesDep = Annotated[Services, Depends(_services)]
"""For the guard, which finds out who asks."""


def _services_in_scope(request: Request, services: UnconfinedServicesDep) -> Services:
    """The services over the cameras that whoever asks may see; nobody sees none."""
    identity = getattr(request.state, "identity", None)
    if identity is not None and identity.groups is None:
        return services
    cameras = () if identity is None else services.repository.cameras_in(identity.groups)
    return replace(services, repository=services.repository.within(cameras))


ServicesDep = Annotated[Services, Depends(_services_in_scope)]


def address(request: Request) -> str:
    return request.client.host if request.client else ""


AddressDep = Annotated[str, Depends(address)]


class Trail:
    """Writes the audit trail on behalf of whoever makes this request."""

    def __init__(self, request: Request, services: ServicesDep) -> None:
        self._repository = services.repository
        self._actor = request.state.identity.name
        self._address = address(request)

    def record(
        self, action: str, object_kind: str, object_id: object = "", detail: Mapping[str, object] | None = None
    ) -> None:
        self._repository.record_audit(
            self._actor, action, object_kind, str(object_id), detail=detail, address=self._address
        )

    def entry(self, action: str, name: str, detail: Mapping[str, object] | None = None) -> AuditEntry:
        """An entry about a user, for the store to write together with the change that it tells of."""
        return self.about(action, "user", name, detail)

    def about(
        self, action: str, object_kind: str, object_id: object, detail: Mapping[str, object] | None = None
    ) -> AuditEntry:
        """An entry for the store to write together with the change that it tells of."""
        return AuditEntry(self._actor, action, object_kind, str(object_id), detail or {}, self._address)


TrailDep = Annotated[Trail, Depends()]
