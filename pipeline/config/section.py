"""What all sections of streams.yaml have in common."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"


class Section(BaseModel):
    """A frozen group of settings that knows no other fields than its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


def or_text(schema: dict[str, Any]) -> None:
    """Change a section's JSON Schema: a plain text may stand for the whole section."""
    section = dict(schema)
    schema.clear()
    schema.update({"title": section.get("title", ""), "anyOf": [{"type": "string", "minLength": 1}, section]})


def fail(message: str, *path: int | str) -> ValueError:
    """An error to raise in a validator, about the value itself or about one inside it."""
    error = PydanticCustomError("fault", "{message}", {"message": message})
    if not path:
        return error
    return ValidationError.from_exception_data("fault", [InitErrorDetails(type=error, loc=path, input=None)])


def _relative(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fail("a coordinate is a number from 0 to 1, relative to the picture")
    if not 0 <= value <= 1:
        raise fail("a coordinate is relative to the picture, from 0 to 1; divide pixels by its width or height")
    return float(value)


def _pair(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise fail("a point is [x, y]")
    return value


Number: TypeAlias = Annotated[float, Strict()]
Whole: TypeAlias = Annotated[int, Strict()]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Relative: TypeAlias = Annotated[Share, BeforeValidator(_relative, json_schema_input_type=Share)]
RelativePoint: TypeAlias = Annotated[
    tuple[Relative, Relative], BeforeValidator(_pair, json_schema_input_type=tuple[Relative, Relative])
]
MetrePoint: TypeAlias = Annotated[
    tuple[Number, Number], BeforeValidator(_pair, json_schema_input_type=tuple[Number, Number])
]
Name: TypeAlias = Annotated[
    str,
    Field(pattern=NAME_PATTERN, description="Small letters, digits, - and _; at most 63."),
]
