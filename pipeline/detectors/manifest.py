"""The models that are known: those shipped with the program and those the user added."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.errors import ModelError
from pipeline.paths import DataFolder

Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


Threshold: TypeAlias = float | Mapping[str, float]
"""Lowest score that is a detection, 0-1: one for all classes, or one for each by name."""

Share: TypeAlias = Annotated[float, Field(gt=0, lt=1)]


class Measurement(BaseModel):
    """One measured figure: on what set, which metric, when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subset: str
    metric: str
    value: float
    date: str = ""


Size: TypeAlias = tuple[Annotated[int, Field(ge=32)], Annotated[int, Field(ge=32)]]


class PlateText(BaseModel):
    """What a recogniser of plates was trained on: the plate config of fast-plate-ocr, key by key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_plate_slots: int = Field(ge=1, le=64)
    alphabet: str = Field(min_length=2)
    pad_char: str = Field(min_length=1, max_length=1)
    img_height: int = Field(ge=8, le=1024)
    img_width: int = Field(ge=8, le=1024)
    keep_aspect_ratio: bool = False
    interpolation: Literal["nearest", "linear", "cubic", "area", "lanczos4"] = "linear"
    image_color_mode: Literal["grayscale", "rgb"] = "grayscale"
    padding_color: tuple[int, int, int] | int = (114, 114, 114)
    plate_regions: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _has_padding(self) -> PlateText:
        if self.pad_char not in self.alphabet:
            raise ValueError(f"pad_char {self.pad_char!r} is not in the alphabet")
        return self


class Entry(BaseModel):
    """One model in manifest.yaml. Its weights are a `file` beside the manifest, or fetched from `url`.

    A model finds objects of its `classes`, or reads the text of plates, which `plate` describes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)
    task: Literal["detection", "plate text"] = "detection"
    family: str = Field(description="Which reader the weights need: nanodet, yolo, fast-plate-ocr, or a plugin's.")
    file: str = Field(default="", pattern=r"^[^/\\]*$")
    url: str = Field(default="", pattern=r"^(https?://.+)?$")
    sha256: Sha256
    size: Size | None = Field(default=None, description="Largest width and height of the network's input, pixels.")
    classes: tuple[str, ...] = ()
    plate: PlateText | None = Field(default=None, description="Alphabet, slots and picture of a recogniser of plates.")
    licence: str = "unknown"
    attribution: str = ""
    threshold: Share | dict[str, Share] = Field(
        default=0.25, description="Lowest score that is a detection: one for all classes, or one for each."
    )
    overlap: Share | None = Field(
        default=None, description="Boxes of one class that overlap more are one object; the family's own when left out."
    )
    nested: Share | None = Field(default=None, description="The same for a box that lies inside the other.")
    accuracy: tuple[Measurement, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Entry:
        if bool(self.file) == bool(self.url):
            raise ValueError("give the weights as file or as url, one of them")
        if self.task == "detection" and (self.size is None or not self.classes or self.plate is not None):
            raise ValueError("a detection model has size and classes, and no plate")
        if self.task == "plate text" and (self.plate is None or self.classes or self.size is not None):
            raise ValueError("a model for plate text has plate, and neither size nor classes")
        if isinstance(self.threshold, dict) and set(self.threshold) != set(self.classes):
            raise ValueError(f"threshold: give one number, or one for each of {', '.join(self.classes)}")
        return self


class Document(BaseModel):
    """A manifest.yaml as a whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A known model and where its weights are, or will be once pulled.

    `origin` says who brought it: `embedded` came with the program, `added` is the user's.
    """

    entry: Entry
    path: Path
    origin: Literal["embedded", "added"]

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def family(self) -> str:
        return self.entry.family

    @property
    def sha256(self) -> str:
        return self.entry.sha256

    @property
    def classes(self) -> tuple[str, ...]:
        return self.entry.classes

    @property
    def width(self) -> int:
        return self._size[0]

    @property
    def height(self) -> int:
        return self._size[1]

    @property
    def present(self) -> bool:
        return self.path.is_file()

    @property
    def _size(self) -> tuple[int, int]:
        plate = self.entry.plate
        return self.entry.size or ((plate.img_width, plate.img_height) if plate else (0, 0))


@dataclass(frozen=True, slots=True)
class Manifest:
    """Every known model by name, the embedded ones first."""

    models: Mapping[str, Model]

    @classmethod
    def load(cls, data: DataFolder) -> Manifest:
        """Read the embedded manifest and the additions in the data folder.

        Raises:
            ModelError: a manifest is wrong; names the file, the model and the field.
        """
        embedded = Path(str(files("models")))
        models: dict[str, Model] = {}
        for entry in read(embedded / "manifest.yaml").models:
            place = embedded / entry.file if entry.file else added_folder(data) / weights_name(entry)
            models[entry.name] = Model(entry, place, "embedded")
        additions = added_folder(data) / "manifest.yaml"
        if additions.is_file():
            for entry in read(additions).models:
                if entry.name in models:
                    raise ModelError(f"{additions}: model {entry.name!r} is there twice or is an embedded model's name")
                place = added_folder(data) / (entry.file or weights_name(entry))
                models[entry.name] = Model(entry, place, "added")
        return cls(models)

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models.values())

    def find(self, name: str) -> Model:
        """The model of this name.

        Raises:
            ModelError: there is none; names those that are, and the nearest.
        """
        if name in self.models:
            return self.models[name]
        near = difflib.get_close_matches(name, self.models, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ModelError(f"no model is called {name!r}: {hint}known are {', '.join(self.models)}")


def added_folder(data: DataFolder) -> Path:
    """Where added and fetched models lie."""
    return data.cache / "models"


def weights_name(entry: Entry) -> str:
    """File name of fetched weights: another version of a model is another file."""
    return f"{entry.name}-{entry.sha256[:12]}.onnx"


def read(path: Path) -> Document:
    """Parse one manifest.yaml.

    Raises:
        ModelError: it is not YAML, or a field is wrong.
    """
    try:
        return Document.model_validate(YAML(typ="safe").load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise ModelError(f"{path}: cannot be read as a manifest of models: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ModelError(f"{path}: {faults}") from error


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(model: Model) -> None:
    """Check that the weights are there and are those of the manifest.

    Raises:
        ModelError: they are missing or another file.
    """
    if not model.present:
        mend = f"fetch it with  matthan models pull {model.name}" if model.entry.url else "install the program again"
        raise ModelError(f"{model.path}: the weights of model {model.name!r} are missing: {mend}")
    found = digest(model.path)
    if found != model.sha256:
        mend = "remove the file and pull it again" if model.entry.url else "put the original file back"
        raise ModelError(
            f"{model.path}: not the weights of model {model.name!r}: SHA-256 is {found}, "
            f"the manifest says {model.sha256}: {mend}"
        )
