"""What the desk's map shows under the cameras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator

from pipeline.base_map import BaseMap, Tiles, check_layer
from pipeline.config.section import Section, fail


class MapConfig(Section):
    """The ground of the map: files of the site, so that nothing is asked of the internet."""

    tiles: str | None = Field(
        default=None, description="MBTiles file with pictures of the city's map, beside this file."
    )
    layer: str | None = Field(
        default=None, description="GeoJSON file of roads or districts in WGS 84, drawn under the cameras."
    )
    _folder: Path = PrivateAttr(default=Path())

    @field_validator("tiles")
    @classmethod
    def _holds_pictures(cls, value: str | None, info: ValidationInfo) -> str | None:
        return _checked(value, info, Tiles.open)

    @field_validator("layer")
    @classmethod
    def _is_a_layer(cls, value: str | None, info: ValidationInfo) -> str | None:
        return _checked(value, info, check_layer)

    def model_post_init(self, context: Any) -> None:
        self._folder = (context or {}).get("folder", Path())

    @property
    def ground(self) -> BaseMap:
        """The files, opened. Raises ValueError when one has gone since it was checked."""
        return BaseMap(
            Tiles.open((self._folder / self.tiles).absolute()) if self.tiles else None,
            (self._folder / self.layer).absolute() if self.layer else None,
        )


def _checked(value: str | None, info: ValidationInfo, check: Callable[[Path], object]) -> str | None:
    if value is not None:
        try:
            check((info.context or {}).get("folder", Path()) / value)
        except ValueError as error:
            raise fail(str(error)) from None
    return value
