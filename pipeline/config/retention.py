"""How long things are kept, and how much of them."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from pipeline.config.section import Section, Whole, fail

UNITS = {"": 1, "MB": 10**6, "GB": 10**9, "TB": 10**12}
SMALLEST = 10**6


def _bytes(value: Any) -> Any:
    if isinstance(value, str) and (found := re.fullmatch(r"(\d+(?:\.\d+)?) ?(MB|GB|TB)", value)):
        value = round(float(found[1]) * UNITS[found[2]])
    if isinstance(value, bool) or not isinstance(value, int) or value < SMALLEST:
        raise fail("a size of at least 1 MB is needed, as in 500 GB")
    return value


Days = Annotated[Whole, Field(ge=0, le=36500)]
Bytes = Annotated[int, BeforeValidator(_bytes, json_schema_input_type=str | int)]


class RetentionConfig(Section):
    """How many days things of a camera are kept; 0 keeps them for good.

    Cases in second review, accepted or forwarded are never deleted, nor those under a legal hold.
    """

    violations: Days = Field(default=0, description="Days that undecided and closed cases stay, with evidence.")
    rejected: Days | None = Field(
        default=None, description="Days that rejected and duplicate cases stay; as `violations` when left out."
    )
    plate_reads: Days = Field(default=30, description="Days that plate reads and their pictures stay.")
    counts: Days = Field(default=365, description="Days that count series stay.")


class SiteRetentionConfig(Section):
    """What holds for the site as a whole. The audit trail is never deleted."""

    evidence: Bytes | None = Field(
        default=None,
        description="Most that evidence may take, as in 500 GB; then the oldest cases that may go, go.",
    )
    undecided: Days = Field(default=14, description="Days that no size limit takes an undecided case.")
    alerts: Days = Field(default=365, description="Days that faults and the uptime of cameras stay.")
    notifications: Days = Field(default=90, description="Days that messages stay in the outbox.")
