"""The journey of one plate, put together from its reads and the places of the cameras."""

from __future__ import annotations

from dataclasses import dataclass

from api.services import Services
from pipeline.journeys import Leg, Sighting, journey
from pipeline.plate_text import plate_key
from pipeline.store import PlateFilter
from pipeline.store.plates import MOST_SIGHTINGS
from pipeline.store.records import CameraStatus, PlateRecord


@dataclass(frozen=True, slots=True)
class Stop:
    """One read on the way; `camera` is None when nobody described it."""

    read: PlateRecord
    leg: Leg
    camera: CameraStatus | None

    @property
    def camera_name(self) -> str:
        return self.camera.name if self.camera and self.camera.name else self.read.camera


@dataclass(frozen=True, slots=True)
class Journey:
    plate: str
    stops: tuple[Stop, ...]

    @property
    def cloned(self) -> bool:
        return any(stop.leg.cloned for stop in self.stops)

    @property
    def complete(self) -> bool:
        return len(self.stops) < MOST_SIGHTINGS


def find_journey(services: Services, wanted: PlateFilter) -> Journey:
    """Raises QueryError for a plate with wildcards or without a letter or digit."""
    cameras = {camera.id: camera for camera in services.repository.cameras()}
    reads = {read.id: read for read in services.repository.sightings(wanted)}
    legs = journey([_sighting(read, cameras.get(read.camera)) for read in reads.values()], services.settings.journeys)
    stops = (Stop(read := reads[leg.sighting.read], leg, cameras.get(read.camera)) for leg in legs)
    return Journey(plate_key(wanted.plate), tuple(stops))


def _sighting(read: PlateRecord, camera: CameraStatus | None) -> Sighting:
    place = None
    if camera is not None and camera.latitude is not None and camera.longitude is not None:
        place = camera.latitude, camera.longitude
    return Sighting(read.id, plate_key(read.text or ""), read.first_seen, read.last_seen, place)
