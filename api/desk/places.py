"""Where cameras stand, for the maps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.journeys import Place, great_circle
from pipeline.store.records import CameraStatus

MOST_NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A camera near another one; `metres` as the crow flies."""

    camera: CameraStatus
    metres: float


def place_of(camera: CameraStatus) -> Place | None:
    """Latitude and longitude in degrees, None where they are not known."""
    if camera.latitude is None or camera.longitude is None:
        return None
    return camera.latitude, camera.longitude


def neighbours(camera: CameraStatus | None, cameras: Iterable[CameraStatus]) -> list[Neighbour]:
    """The nearest of the other cameras, nearest first; none when the camera's own place is not known."""
    here = None if camera is None else place_of(camera)
    if camera is None or here is None:
        return []
    others = [(other, place) for other in cameras if other.id != camera.id and (place := place_of(other)) is not None]
    found = [Neighbour(other, great_circle(here, place)) for other, place in others]
    return sorted(found, key=lambda neighbour: (neighbour.metres, neighbour.camera.id))[:MOST_NEIGHBOURS]
