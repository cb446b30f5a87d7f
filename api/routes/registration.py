"""streams.yaml: the cameras that are registered in it, changes of them, and its versions."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.problems import answers
from api.queries import Name
from api.registration import RegistrationDep
from api.registration_schemas import CameraRevision, Digest, DraftAnswer, NewCamera, RegisteredCamera, VersionAnswer
from pipeline.config.shown import difference, shown_camera

router = APIRouter(prefix="/api/v1", tags=["registration"], route_class=GuardedRoute)
CHANGING = answers(401, 403, 404, 409, 422, 503)


@router.get("/cameras/{camera_id}/registration", responses=answers(401, 403, 404, 422, 503))
def show_registration(camera_id: Name, desk: RegistrationDep) -> RegisteredCamera:
    """The camera as it stands in streams.yaml."""
    revision = desk.read()
    _, camera = desk.find(revision, camera_id)
    source, rest = shown_camera(camera)
    return RegisteredCamera(digest=revision.digest, obstacle=desk.registration.obstacle, source=source, camera=rest)


@router.post("/cameras/{camera_id}/registration/preview", responses=CHANGING)
def preview_change(camera_id: Name, body: CameraRevision, desk: RegistrationDep) -> DraftAnswer:
    """What the change comes to, without making it."""
    return DraftAnswer.of(desk.change(camera_id, body.camera, body.digest))


@router.patch("/cameras/{camera_id}/registration", responses=CHANGING)
def change_camera(camera_id: Name, body: CameraRevision, desk: RegistrationDep) -> DraftAnswer:
    """Change the camera in streams.yaml; a running program takes it over within seconds."""
    draft = desk.change(camera_id, body.camera, body.digest)
    desk.write(draft, "change", camera_id)
    return DraftAnswer.of(draft)


@router.post("/cameras", status_code=201, responses=CHANGING)
def add_camera(body: NewCamera, desk: RegistrationDep) -> DraftAnswer:
    """Register a camera; secrets of its address are named as `${CAM_…}`, never written."""
    draft = desk.add(body.id, body.camera, body.digest)
    desk.write(draft, "add", body.id)
    return DraftAnswer.of(draft)


@router.delete("/cameras/{camera_id}/registration", responses=CHANGING)
def remove_camera(camera_id: Name, digest: Digest, desk: RegistrationDep) -> DraftAnswer:
    """Take the camera out of streams.yaml; what it found stays."""
    draft = desk.remove(camera_id, digest)
    desk.write(draft, "remove", camera_id)
    return DraftAnswer.of(draft)


@router.get("/registration/versions", responses=answers(401, 403, 404, 503))
def list_versions(desk: RegistrationDep) -> list[VersionAnswer]:
    """The texts of streams.yaml that are kept, newest first: all that were written here, and what they replaced."""
    desk.need_whole()
    return [VersionAnswer.model_validate(version) for version in desk.registration.versions()]


@router.get("/registration/versions/{digest}", responses=answers(401, 403, 404, 422, 503))
def show_version(digest: Digest, desk: RegistrationDep) -> list[str]:
    """What going back to this version would change, line by line."""
    desk.need_whole()
    version = desk.registration.version(digest)
    if version is None:
        raise HTTPException(404, f"there is no version {digest!r}")
    return difference(desk.read().text, version.text)


@router.post("/registration/versions/{digest}/restoration", responses=CHANGING)
def restore_version(digest: Digest, seen: Digest, desk: RegistrationDep) -> DraftAnswer:
    """Make this version the file again. It must still be right: recordings and models may be gone."""
    draft = desk.restore(digest, seen)
    desk.write(draft, "restore")
    return DraftAnswer.of(draft)
