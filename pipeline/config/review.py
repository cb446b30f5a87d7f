"""What the site asks of its reviews."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, field_validator

from pipeline.config.section import Section, Whole, fail
from pipeline.config.suggestions import did_you_mean
from pipeline.review import ReviewPolicy
from pipeline.rules import rule_types

Days = Annotated[Whole, Field(ge=1, le=3650)]


class ReviewConfig(Section):
    """How violations become cases: who must confirm them, and by when."""

    four_eyes: tuple[str, ...] = Field(default=(), description="Kinds of violation that two officers must confirm.")
    owner_days: Days = Field(default=10, description="Days from the detection to identify the owner.")
    answer_days: Days = Field(default=20, description="Days from the notice to wait for the owner's answer.")
    lock_minutes: Annotated[Whole, Field(ge=1, le=1440)] = Field(
        default=10, description="How long a case stays with the officer who works on it."
    )

    @field_validator("four_eyes")
    @classmethod
    def _known_kinds(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for kind in value:
            if kind not in rule_types():
                near = did_you_mean(kind, rule_types())
                raise fail(
                    f"no rule finds violations of kind {kind!r}{near}; allowed are {', '.join(sorted(rule_types()))}"
                )
        return value

    @property
    def policy(self) -> ReviewPolicy:
        return ReviewPolicy(
            four_eyes=frozenset(self.four_eyes),
            owner_within=timedelta(days=self.owner_days),
            answer_within=timedelta(days=self.answer_days),
            lock_for=timedelta(minutes=self.lock_minutes),
        )
