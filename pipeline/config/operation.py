"""How cameras are looked after while they run: motion gate, health, metrics."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipeline.config.section import Number, Section, Whole, fail


class MotionGateConfig(Section):
    """Spares the detectors the frames on which nothing has changed since the last analysed one."""

    enabled: bool = Field(default=False, strict=True, description="true switches the gate on.")
    every: Annotated[Number, Field(ge=0.2, le=60)] = Field(
        default=3.0, description="A frame is analysed at least every so many seconds, also when nothing moves."
    )
    hold: Annotated[Number, Field(ge=0, le=60)] = Field(
        default=2.0, description="Seconds after the last movement for which every frame is still analysed."
    )
    contrast: Annotated[Number, Field(gt=0, le=255)] = Field(
        default=14.0, description="Change of brightness, of 255, from which a point counts as changed."
    )
    area: Annotated[Number, Field(gt=0, le=1)] = Field(
        default=0.0006, description="Part of the picture that must have changed."
    )


class HealthConfig(Section):
    """Which faults of the camera itself raise an alert, and after how many seconds; 0 switches one off.

    `skewed` is other: by how many seconds the clock may be off.
    """

    dead: Annotated[Number, Field(ge=0, le=86400)] = Field(default=60.0, description="No pictures.")
    frozen: Annotated[Number, Field(ge=0, le=86400)] = Field(default=30.0, description="Always the same picture.")
    dark: Annotated[Number, Field(ge=0, le=86400)] = Field(default=60.0, description="No light in the picture.")
    blinded: Annotated[Number, Field(ge=0, le=86400)] = Field(
        default=60.0, description="Glare, or something in front of the lens."
    )
    defocused: Annotated[Number, Field(ge=0, le=86400)] = Field(default=120.0, description="Blurred.")
    moved: Annotated[Number, Field(ge=0, le=86400)] = Field(
        default=60.0, description="The camera looks elsewhere, so its zones and lanes are wrong."
    )
    skewed: Annotated[Number, Field(ge=0, le=86400)] = Field(
        default=5.0, description="The camera's own clock is off this computer's by more than so many seconds."
    )
    every: Annotated[Number, Field(ge=0.5, le=60)] = Field(default=2.0, description="Seconds between two looks.")


class StillsConfig(Section):
    """The camera's newest picture on the desk's operator pages."""

    show: Literal["clear", "coarse", "none"] = Field(
        default="clear",
        description="coarse shows the scene in blocks, without faces and plates; none keeps no picture.",
    )
    every: Annotated[Number, Field(ge=1, le=3600)] = Field(
        default=5.0, description="Least seconds between two pictures."
    )
    width: Annotated[Whole, Field(ge=160, le=1920)] = Field(
        default=640, description="Most pixels across of the picture with boxes, zones and time."
    )


class MetricsConfig(Section):
    """Where `matthan run` tells how it is: /metrics, /health/live, /health/ready, /status."""

    address: str = Field(default="127.0.0.1", description="Address to serve on; it has no login.")
    port: Annotated[Whole, Field(ge=0, le=65535)] = Field(default=9464, description="0 serves nothing.")

    @field_validator("address")
    @classmethod
    def _numeric(cls, value: str) -> str:
        try:
            ip_address(value)
        except ValueError:
            raise fail("an address of this machine is needed, as in 127.0.0.1 or ::1") from None
        return value
