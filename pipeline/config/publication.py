"""What the public look-up of camera fines says about a decided case, beside the case itself."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, field_validator

from pipeline.config.section import Section, fail
from pipeline.config.suggestions import did_you_mean
from pipeline.rules import rule_types


class UnitConfig(Section):
    """A unit of the police, as people find it."""

    name: str = Field(min_length=1, description="Its name in full.")
    address: str = Field(default="", description="Where people go.")
    phone: str = Field(default="", description="Whom people call.")


class BehaviourConfig(Section):
    """How the law calls what a kind of violation is."""

    text: str = Field(min_length=1, description="The behaviour in words.")
    law: str = Field(default="", description="Article, clause and decree; nothing is cited when left out.")


class PublicationConfig(Section):
    """What is published of decided cases, as the traffic police's public look-up shows it."""

    detected_by: str = Field(default="", description="The unit that detected the violations.")
    handled_by: tuple[UnitConfig, ...] = Field(default=(), description="The units at which a case is settled.")
    behaviours: Mapping[str, BehaviourConfig] = Field(
        default={"wrong_way": BehaviourConfig(text="Đi ngược chiều")},
        description="Kinds of violation that are published, each with its behaviour; others never are.",
    )

    @field_validator("behaviours")
    @classmethod
    def _known_kinds(cls, value: Mapping[str, BehaviourConfig]) -> Mapping[str, BehaviourConfig]:
        for kind in value:
            if kind not in rule_types():
                near = did_you_mean(kind, rule_types())
                raise fail(
                    f"no rule finds violations of kind {kind!r}{near}; allowed are {', '.join(sorted(rule_types()))}"
                )
        return value
