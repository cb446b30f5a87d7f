"""What is wrong with the values of a request, in the words that faults of streams.yaml are told in."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, Field
from pydantic_core import ErrorDetails

from pipeline.config.messages import wanted

NEEDED = {
    "date_from_datetime_inexact": "a date is needed, as in 2026-03-02",
    "date_parsing": "a date is needed, as in 2026-03-02",
    "json_invalid": "this is not valid JSON",
    "string_unicode": "text is needed",
    "timezone_aware": "a time with its offset is needed, as in 2026-03-02T07:00:00+07:00",
    "timezone_naive": "a time without an offset is needed, as in 2026-03-02T07:00",
    "uuid_parsing": "an id is needed, as in 00000000-0000-0000-0000-000000000000",
    "uuid_type": "an id is needed, as in 00000000-0000-0000-0000-000000000000",
}
_EMPTY = "''"
WHY = "say why you ask; the reason is kept on the audit trail"


class Fault(BaseModel):
    """One value that was refused: where it stood in the request and why."""

    where: str = Field(examples=["query.limit"])
    message: str = Field(examples=["a number of at most 200 is needed"])


def faults(errors: Iterable[ErrorDetails]) -> list[Fault]:
    return [Fault(where=".".join(map(str, each["loc"])), message=phrase(each)) for each in errors]


def phrase(error: ErrorDetails) -> str:
    """One sentence for a validation error, without its beginning and end."""
    kind = error["type"]
    if kind == "missing":
        return WHY if error["loc"][-1] == "reason" else "is missing"
    if kind == "extra_forbidden":
        return "nobody asks for this here; leave it out"
    if kind in {"enum", "literal_error"}:
        choices = str(error["ctx"]["expected"]).replace(" or ", ", ").split(", ")
        return f"choose one of {', '.join(each for each in choices if each != _EMPTY)}"
    return NEEDED.get(kind) or wanted(error)
