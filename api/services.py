"""What routes work with: the open database and what is built on it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from api.auth.keys import ApiKeys
from api.auth.lockout import Caller, Lockout, Rates
from api.auth.oidc import Provider
from api.auth.passwords import Passwords
from api.auth.sealing import Seals
from api.auth.second_factor import SecondFactors
from api.auth.sessions import Sessions
from api.copies import Copies
from api.settings import Settings
from api.training_sets import TrainingSets
from pipeline.checkpoints import CheckpointKeeper
from pipeline.evidence.archive import Archive, EvidenceFiles
from pipeline.signing import Signer
from pipeline.store import Repository
from pipeline.store.account_records import AuditEntry


@dataclass(frozen=True, slots=True)
class Services:
    """`repository` is confined to the cameras that whoever asks may see, but the sign-in's own."""

    settings: Settings
    repository: Repository
    passwords: Passwords
    sessions: Sessions
    lockout: Lockout
    second_factors: SecondFactors
    keys: ApiKeys
    rates: Rates
    provider: Provider | None
    evidence: EvidenceFiles
    signer: Signer | None
    copies: Copies | None
    training: TrainingSets | None

    def close(self) -> None:
        if self.copies is not None:
            self.copies.close()
        if self.training is not None:
            self.training.close()
        self.repository.close()

    @classmethod
    def open(cls, settings: Settings) -> Services:
        """Raises StoreError when the database cannot be opened, ArchiveError when the archive is of no known kind,
        EvidenceError when the signing key cannot be made or read."""
        signer = Signer.open(settings.keys_root) if settings.keys_root else None
        repository = Repository.open(settings.database_url.get_secret_value(), signer)
        evidence = evidence_files(settings)
        passwords, seals, policy = Passwords(), Seals(settings.access_key), settings.access
        lockout, second_factors = Lockout(policy, seals), SecondFactors(repository, seals, settings.site_name)
        return cls(
            settings=settings,
            repository=repository,
            passwords=passwords,
            sessions=Sessions(repository, policy, passwords, lockout, second_factors),
            lockout=lockout,
            second_factors=second_factors,
            keys=ApiKeys(repository),
            rates=Rates(),
            provider=Provider(policy.oidc, seals) if policy.oidc else None,
            evidence=evidence,
            signer=signer,
            copies=redacted_copies(settings),
            training=TrainingSets(settings.training_root, evidence) if settings.training_root else None,
        )


def keeping_checkpoints(services: Services) -> AbstractContextManager[object]:
    """Keeps signed heads of the chain for as long as the context lasts."""
    file, repository = services.settings.checkpoints, services.repository
    if services.signer is None or file is None:
        return nullcontext()
    return CheckpointKeeper(lambda: repository, services.signer, file)


def redacted_copies(settings: Settings) -> Copies | None:
    """Where redacted copies are made; None where they could not be signed."""
    if settings.keys_root is None or settings.copies_root is None:
        return None
    return Copies(settings.copies_root, settings.keys_root, settings.copies_kept)


def evidence_files(settings: Settings) -> EvidenceFiles:
    """Where evidence is read from."""
    archive = None
    if settings.archive_url:
        options = {name: value.get_secret_value() for name, value in settings.archive_options.items()}
        archive = Archive(settings.archive_url, options)
    return EvidenceFiles(settings.evidence_root, archive, settings.archive_cache)


# Dependencies that wait for nothing are coroutines: each plain function among them would cost a request one more way
# into a worker thread and back.
async def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)  # noqa: S101  the app's lifespan sets it before the first request
    return services


UnconfinedServicesDep = Annotated[Services, Depends(_services)]
"""For the guard, which finds out who asks."""


async def _services_in_scope(request: Request, services: UnconfinedServicesDep) -> Services:
    """The services over the cameras that whoever asks may see; nobody sees none."""
    cameras: tuple[str, ...] | None = getattr(request.state, "cameras", ())
    if cameras is None:
        return services
    return replace(services, repository=services.repository.within(cameras))


ServicesDep = Annotated[Services, Depends(_services_in_scope)]


async def _address(request: Request) -> str:
    return request.client.host if request.client else ""


AddressDep = Annotated[str, Depends(_address)]
DEVICE_COOKIE = "matthan_device"


async def _caller(request: Request, address: AddressDep) -> Caller:
    agent = "".join(sign for sign in request.headers.get("user-agent", "") if sign.isprintable())
    return Caller(address, agent, request.cookies.get(DEVICE_COOKIE, ""))


CallerDep = Annotated[Caller, Depends(_caller)]


class Trail:
    """Writes the audit trail on behalf of whoever makes this request."""

    def __init__(self, repository: Repository, actor: str, address: str) -> None:
        self._repository = repository
        self._actor = actor
        self._address = address

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


async def _trail(request: Request, services: ServicesDep, address: AddressDep) -> Trail:
    return Trail(services.repository, request.state.identity.name, address)


TrailDep = Annotated[Trail, Depends(_trail)]
