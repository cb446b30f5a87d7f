"""streams.yaml and changes of it, as the API takes and tells them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field

from api.registration import field_of
from api.schemas import Answer
from pipeline.config.camera_change import CameraChange, Change
from pipeline.config.registration import Draft
from pipeline.config.section import NAME_PATTERN
from pipeline.errors import Problem

DIGEST = "ab" * 32
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="Of the file as you saw it.", examples=[DIGEST])]
CameraId = Annotated[str, Field(pattern=NAME_PATTERN, examples=["cau-truong-tien"])]


class CameraRevision(Change):
    """A change of a camera in the file that had this digest."""

    digest: Digest
    camera: CameraChange


class NewCamera(CameraRevision):
    id: CameraId


class RegisteredCamera(Answer):
    """A camera as it stands in streams.yaml: what is not there comes from `defaults`."""

    digest: str = Field(description="SHA-256 of the file; give it back with a change.", examples=[DIGEST])
    obstacle: str = Field(description="Why the file cannot be changed from here; empty when it can.", examples=[""])
    source: str = Field(description="Its address without secrets.", examples=["rtsp://***@10.0.0.17:554/stream1"])
    camera: dict[str, Any] = Field(
        description="Its settings but for the source.",
        examples=[{"id": "gate", "zones": [{"id": "square", "polygon": [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]}]}],
    )


class DraftAnswer(Answer):
    """What a change comes to."""

    digest: str = Field(description="Of the file after the change.", examples=[DIGEST])
    difference: list[str] = Field(description="Lines as in a unified diff, without secrets.")
    effect: str = Field(description="What the running program does about it.", examples=["restarted: cau-truong-tien"])

    @classmethod
    def of(cls, draft: Draft) -> Self:
        effect = "" if draft.changes is None else str(draft.changes)
        return cls(digest=draft.after.digest, difference=list(draft.difference), effect=effect)


class VersionAnswer(Answer):
    """A text of streams.yaml that is kept."""

    digest: str = Field(examples=[DIGEST])
    time: datetime = Field(examples=["2026-11-01T05:00:00Z"])
    actor: str = Field(description="Who wrote it at the desk; empty for one that was found.", examples=["lan"])


def told(problems: Sequence[Problem]) -> list[tuple[str, str]]:
    """The field of each fault within its camera, and the fault."""
    return [(field_of(problem), problem.message) for problem in problems]
