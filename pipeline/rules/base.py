"""What a rule is: its settings, what it is shown, what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, TypeVar
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

from pipeline.detectors.plates import PlateReader
from pipeline.frame import Frame
from pipeline.geometry import Layout
from pipeline.types import Detections, Findings, Track

INCIDENT_NAMESPACE = UUID("6f1c7a52-6d0b-5f6e-9a35-0c2f4b1f7a11")

VEHICLES = frozenset({"bicycle", "motorcycle", "car", "bus", "truck"})


class RuleConfig(BaseModel):
    """Settings every rule has. A rule subclasses this with its own `kind: Literal["…"]`.

    Fields called `zone`, `zones`, `exclude` (zones), `lane` or `lanes` name those of the camera; that they
    exist is checked when streams.yaml is read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    unhashed: ClassVar[frozenset[str]] = frozenset()
    """Settings that make no other incident of the same footage, and so have no part in its id."""

    kind: str
    id: str = Field(default="", description="Name of this rule in events; the kind when left out.")

    @property
    def name(self) -> str:
        return self.id or self.kind

    @property
    def needs_plates(self) -> bool:
        """Whether the rule cannot work on a camera that hashes its plates."""
        return False

    @property
    def content(self) -> str:
        """SHA-256 over what was read from files that these settings name, "" without any; no part of any id.

        It may change while the camera runs, see Rule.refresh.
        """
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One analysed frame as a rule sees it.

    `detections` maps model name to its findings and holds only the models that ran on this frame;
    `classes` are all class names that those models can answer.
    `tracks` are the objects detected in this frame; `ended` are ids that the tracker has given up.
    `layout` holds the camera's zones, lanes and ground plane in pixels of this frame.
    """

    frame: Frame
    detections: Mapping[str, Detections]
    tracks: Sequence[Track]
    ended: Sequence[int]
    layout: Layout
    classes: frozenset[str]

    def found(self, labels: frozenset[str]) -> Detections | None:
        """All detections of these classes, or None when no model that ran here knows any of them."""
        if not labels & self.classes:
            return None
        return Detections.concatenate(found.of(labels) for found in self.detections.values())


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What a rule is given at construction, besides its settings.

    `config_hash` is the SHA-256 of the rule's settings and the camera geometry, part of every incident id.
    `plate_reader` gives the plate reader of a country (two-letter code), loading it when first asked; rules
    that read no plates ignore it.
    """

    camera: str
    config_hash: str
    plate_reader: Callable[[str], PlateReader] | None = None


ConfigT = TypeVar("ConfigT", bound=RuleConfig)


class Rule(ABC, Generic[ConfigT]):
    """Watches one camera for one kind of incident.

    A rule is a function of what it has been shown, in media time: no clock, no file, no network, no
    randomness. Each instance serves one camera for one run.
    """

    Config: ClassVar[type[RuleConfig]]
    labels: ClassVar[frozenset[str]]
    """Classes the rule lives on; `matthan check` refuses a camera whose detectors know none of them."""
    needs: ClassVar[frozenset[str]] = frozenset()
    """What the camera must have for the rule to work at all, of `zones`, `lanes` and `ground`."""

    def __init__(self, config: ConfigT, context: RuleContext) -> None:
        self.config = config
        self.context = context

    @property
    def models(self) -> Mapping[str, str]:
        """Name and SHA-256 of the models that the rule runs itself, for the decision trace."""
        return {}

    @abstractmethod
    def update(self, scene: Scene) -> Findings:
        """Take one analysed frame; report incidents that began, changed or ended with it."""

    @abstractmethod
    def finish(self) -> Findings:
        """The source has ended: close what is open, with the last media time seen."""

    def refresh(self, config: ConfigT) -> None:
        """Go on with the same settings read again, whose files have another content. Open incidents stay open."""
        self.config = config

    def incident_id(self, start: datetime, subject: str) -> UUID:
        """Deterministic id of an incident: the same footage and settings give the same id.

        `subject` tells apart incidents that begin at the same time: a track id with its lane, or a zone.
        """
        parts = (self.context.camera, self.config.name, self.context.config_hash, start.isoformat(), subject)
        return uuid5(INCIDENT_NAMESPACE, "\n".join(parts))
