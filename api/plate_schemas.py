"""What the API answers about plates and their journeys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field, field_validator

from api.schemas import PLATE, Answer
from pipeline.store.records import PlateRecord


class PlateAnswer(Answer):
    """The vote over all reads of one vehicle's plate. What is not known is an empty text."""

    id: UUID = Field(examples=[PLATE])
    camera: str = Field(examples=["cau-truong-tien"])
    track: int = Field(examples=[17])
    vehicle: str = Field(examples=["motorcycle"])
    time: datetime = Field(description="Media time of the best frame.", examples=["2026-11-01T05:00:01.320Z"])
    first_seen: datetime = Field(examples=["2026-11-01T05:00:00.120Z"])
    last_seen: datetime = Field(examples=["2026-11-01T05:00:03.520Z"])
    text: str | None = Field(
        description="Null when illegible; begins with # where privacy hides the plate.", examples=["75F123456"]
    )
    display: str = Field(description="The text as people write it.", examples=["75-F1 234.56"])
    confidence: float = Field(examples=[0.93])
    distance: float = Field(description="From the plate that was searched for.", examples=[0.3])
    final: bool = Field(description="True once the vote can no longer change.", examples=[True])
    country: str = Field(examples=["vn"])
    region: str = Field(description="Where it was issued.", examples=["Thừa Thiên Huế"])
    series: str = Field(description="What it was issued to.", examples=["motorbike"])
    colour: str = Field(description="Of the plate's background.", examples=["white"])
    lane: str = Field(examples=["inbound"])
    direction: str = Field(description="towards, away, left or right.", examples=["away"])
    picture: str | None = Field(
        description="Address of the plate's picture; null without one.", examples=[f"/api/v1/plates/{PLATE}/picture"]
    )

    @classmethod
    def of(cls, plate: PlateRecord) -> Self:
        known = {name: getattr(plate, name) for name in cls.model_fields if name != "picture"}
        return cls.model_validate({**known, "picture": picture_url(plate)})


class RawReadAnswer(Answer):
    time: datetime = Field(examples=["2026-11-01T05:00:01.320Z"])
    text: str = Field(examples=["75F123456"])
    confidence: float = Field(examples=[0.91])


class AlternativeAnswer(Answer):
    text: str = Field(examples=["75F128456"])
    confidence: float = Field(examples=[0.04])


class PlateDetail(PlateAnswer):
    box: tuple[float, float, float, float] | None = Field(examples=[(430.0, 301.0, 452.0, 315.0)])
    reads: list[RawReadAnswer]
    alternatives: list[AlternativeAnswer] = Field(
        description="Other texts that the vote holds possible, best first; none where privacy hides the plate."
    )
    note: str = Field(description="What is missing, and why.", examples=[""])

    @field_validator("alternatives", mode="before")
    @classmethod
    def _named(cls, pairs: Sequence[tuple[str, float]]) -> list[dict[str, object]]:
        return [{"text": text, "confidence": confidence} for text, confidence in pairs]


class LegAnswer(Answer):
    """One read, and how the vehicle got there from the last one before it whose camera has a location."""

    read: PlateAnswer
    latitude: float | None = Field(examples=[16.4684])
    longitude: float | None = Field(examples=[107.5905])
    metres: float | None = Field(description="Great-circle distance; null without locations.", examples=[1878.0])
    seconds: float | None = Field(description="Out of sight; 0 or less while both cameras saw it.", examples=[300.0])
    speed: float | None = Field(description="Least average in km/h; null where no time was left.", examples=[22.5])
    impossible: bool = Field(description="One vehicle cannot have been in both places.", examples=[False])
    cloned: bool = Field(description="… and both bore the very same text.", examples=[False])


class JourneyAnswer(Answer):
    """All reads of one plate in order of time. `cloned` when two vehicles probably bear it."""

    plate: str = Field(examples=["75F123456"])
    cloned: bool = Field(examples=[False])
    complete: bool = Field(description="False when there are more reads: only the newest are here.", examples=[True])
    legs: list[LegAnswer]


def picture_url(plate: PlateRecord) -> str | None:
    return f"/api/v1/plates/{plate.id}/picture" if plate.crop_file else None
