"""Changes of streams.yaml on behalf of whoever makes a request: who may, what it comes to, and the audit trail."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import Depends
from starlette.exceptions import HTTPException

from api.auth.guard import IdentityDep
from api.services import ServicesDep, TrailDep
from pipeline.config.camera_change import CameraChange, NotAllowedError, adding, changing, removing
from pipeline.config.registration import Draft, Registration, Revision
from pipeline.config.splice import Edit
from pipeline.errors import ConfigError, ConflictError, Problem

CHANGED = "streams.yaml has been changed meanwhile; look at it again, then change it"


class RegistrationDesk:
    """The registration as whoever makes this request may change it.

    Methods raise HTTPException 404 where there is no such camera, or no file that the desk knows; ConfigError with
    every fault of what a change would come to; ConflictError when the file is no longer what was seen.
    """

    def __init__(self, services: ServicesDep, identity: IdentityDep, trail: TrailDep) -> None:
        found = services.settings.registration
        if found is None:
            raise HTTPException(404, "this server does not know the file in which cameras are registered")
        self.registration: Registration = found
        self._groups = identity.groups
        self._actor = identity.name
        self._trail = trail

    @property
    def whole(self) -> bool:
        """Whether they may change the file as a whole and not only cameras of their groups."""
        return self._groups is None

    def read(self, seen: str | None = None) -> Revision:
        """The file, which still is the one whose digest was seen, if one was."""
        revision = self.registration.read()
        if seen is not None and revision.digest != seen:
            raise ConflictError(CHANGED)
        return revision

    def find(self, revision: Revision, camera: str) -> tuple[int, dict[str, Any]]:
        """A camera's index in the file and what stands there."""
        listed = revision.data.get("cameras")
        for index, entry in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(entry, dict) and entry.get("id") == camera and self._sees(entry):
                return index, entry
        raise HTTPException(404, f"no camera {camera!r} is registered in streams.yaml")

    def change(self, camera: str, change: CameraChange, seen: str | None) -> Draft:
        """What the change of a camera comes to."""
        revision = self.read(seen)
        index, _ = self.find(revision, camera)
        if not self.whole and "groups" in change.model_fields_set:
            raise HTTPException(403, "who sees only the cameras of some groups cannot change groups")
        return self._edited(revision, lambda data: changing(data, index, change))

    def add(self, camera: str, change: CameraChange, seen: str | None) -> Draft:
        """What adding a camera comes to."""
        self.need_whole()
        return self._edited(self.read(seen), lambda data: adding(data, camera, change))

    def remove(self, camera: str, seen: str | None) -> Draft:
        """What taking a camera out comes to."""
        self.need_whole()
        revision = self.read(seen)
        index, _ = self.find(revision, camera)
        return self._edited(revision, lambda data: removing(index))

    def restore(self, digest: str, seen: str | None) -> Draft:
        """What going back to an earlier version comes to."""
        self.need_whole()
        earlier = self.registration.version(digest)
        if earlier is None:
            raise HTTPException(404, f"there is no version {digest!r}")
        return self.registration.draft(self.read(seen), earlier)

    def write(self, draft: Draft, action: str, camera: str = "") -> None:
        """Make the draft the file. What was done is on the audit trail with both versions and the lines changed."""
        if obstacle := self.registration.obstacle:
            raise ConflictError(f"streams.yaml cannot be changed from here: {obstacle}")
        self.registration.write(draft, self._actor)
        detail = {"from": draft.before.digest, "to": draft.after.digest, "difference": list(draft.difference)}
        self._trail.record(f"registration.{action}", "camera" if camera else "registration", camera, detail)

    def need_whole(self) -> None:
        """Raises HTTPException 403 for who sees only the cameras of some groups."""
        if not self.whole:
            raise HTTPException(403, "this is for who may see every camera")

    def _sees(self, entry: Mapping[str, Any]) -> bool:
        groups = entry.get("groups")
        return self._groups is None or not self._groups.isdisjoint(groups if isinstance(groups, list) else ())

    def _edited(self, revision: Revision, make: Callable[[Mapping[str, Any]], Sequence[Edit]]) -> Draft:
        try:
            return self.registration.edited(revision, make)
        except NotAllowedError as error:
            raise ConfigError([Problem(str(self.registration.path), 0, 0, error.field, str(error))]) from None
        except IndexError:
            raise ConflictError(CHANGED) from None


RegistrationDep = Annotated[RegistrationDesk, Depends()]


def field_of(problem: Problem) -> str:
    """The field of a fault within its camera: `lanes[0].polygon` of `cameras[3].lanes[0].polygon`."""
    return re.sub(r"^cameras\[\d+\]\.?", "", problem.field)
