"""What stood in the way of a change to a case, in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from api.desk.language import Language
from pipeline.errors import ConflictError, QueryError


def _(text: str) -> str:
    """Marks a text for translation where it is shown."""
    return text


GAPS: Mapping[str, str] = {
    "reason": _("Choose why the case is rejected."),
    "note": _("Say in a few words why."),
    "plate": _("Read the plate yourself and give it; leave it empty when it is illegible."),
    "duplicate_of": _("Choose the case that this one repeats."),
}
OTHERWISE = _("This was not understood.")


@dataclass(frozen=True, slots=True)
class Refusal:
    """`version` is the review's that the officer saw; a conflict is told by the steps that were taken since."""

    status: int
    message: str
    detail: str
    version: int

    @classmethod
    def of(cls, error: ConflictError | QueryError, version: int, language: Language) -> Refusal:
        detail = str(error)
        if isinstance(error, ConflictError):
            return cls(409, language.gettext("The case could not be changed."), language.tell(detail), version)
        field = detail.partition(":")[0]
        message = language.gettext(GAPS.get(field, OTHERWISE))
        return cls(422, message, language.tell(detail.partition(": ")[2] or detail), version)

    @property
    def conflict(self) -> bool:
        return self.status == 409
