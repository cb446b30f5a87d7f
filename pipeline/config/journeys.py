"""What one vehicle can do between two cameras of the site."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from pipeline.config.section import Number, Section
from pipeline.journeys import JourneyLimits


class JourneysConfig(Section):
    """When two reads of a plate cannot be of one vehicle, so that it is shown as probably cloned."""

    fastest: Annotated[Number, Field(gt=0, le=1000)] = Field(
        default=150.0, description="Km/h, as the crow flies, that no vehicle exceeds from one camera to the next."
    )
    place_error: Annotated[Number, Field(ge=0, le=100_000)] = Field(
        default=150.0, description="Metres from its camera's location at which a plate may be read."
    )
    clock_error: Annotated[Number, Field(ge=0, le=86_400)] = Field(
        default=10.0, description="Seconds that the clocks of two cameras may be apart."
    )

    @property
    def limits(self) -> JourneyLimits:
        return JourneyLimits(self.fastest, self.place_error, timedelta(seconds=self.clock_error))
