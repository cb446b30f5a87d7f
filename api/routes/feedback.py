"""What the reviews say about the detections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.auth.access import GuardedRoute
from api.problems import answers
from api.queries import PrecisionQuery
from api.schemas import Answer
from api.services import ServicesDep
from pipeline.feedback import precisions

router = APIRouter(prefix="/api/v1", tags=["reports"], route_class=GuardedRoute)


class PrecisionAnswer(Answer):
    """How often a rule was right at a camera, of the cases that officers decided."""

    camera: str = Field(examples=["cau-truong-tien"])
    rule: str = Field(examples=["wrong_way"])
    right: int = Field(description="Cases in which it saw rightly.", examples=[188])
    wrong: int = Field(examples=[12])
    precision: float | None = Field(description="Null while none was decided.", examples=[0.94])
    low: float = Field(description="Lower bound with 95 % confidence.", examples=[0.898])
    high: float = Field(description="Upper bound with 95 % confidence.", examples=[0.965])
    silent: int = Field(
        description="Cases whose decision does not tell whether it did, duplicates among them.", examples=[9]
    )
    reasons: Mapping[str, int] = Field(
        description="Rejections by reason, the most frequent first.", examples=[{"no_violation": 12}]
    )
    threshold: float | None = Field(
        description="Lowest confidence that would have reached the target; null when none or too few cases.",
        examples=[0.62],
    )
    kept: float | None = Field(description="Share of right cases that it would have kept.", examples=[0.97])
    assured: float | None = Field(
        description="Lower bound, with 95 % confidence, of the precision from the threshold on.", examples=[0.91]
    )


@router.get("/precision", responses=answers(401, 403, 422, 503))
def show_precision(query: Annotated[PrecisionQuery, Query()], services: ServicesDep) -> list[PrecisionAnswer]:
    """The precision of each rule at each camera as reviewed, and the threshold that would raise it to the target."""
    verdicts = services.repository.verdicts(query.filter())
    return [PrecisionAnswer.model_validate(found) for found in precisions(verdicts, query.target)]
