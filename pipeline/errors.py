"""Every error that Mắt Thần raises on purpose.

    MatThanError
    ├── ConfigError          streams.yaml or a file that it names is wrong; holds every Problem found
    ├── SourceError          a recording or camera cannot be opened or read
    │   └── AnchorError      a recording carries no time and none was given
    ├── ModelError           a model is missing, altered, or not what the manifest says
    │   └── ProviderError    the inference runtime lacks the asked-for provider
    ├── PluginError          a rule or detector plugin fails to import
    ├── EvidenceError        an evidence package cannot be written or read
    │   └── ArchiveError     the archive of evidence is away, refuses, or gives back something else
    ├── DeliveryError        a message did not reach its target
    └── StoreError           the database refuses, is unreachable or has another schema
        ├── QueryError       a query holds a value that can match nothing, such as a malformed cursor
        └── ConflictError    a change contradicts what is stored

Each message names the thing at fault (file, line, field, camera, model) and the mend, so that the
command line and the API can show it to a person as it stands. No message may hold a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class MatThanError(Exception):
    """Base of every error raised on purpose; its text is fit for a person to read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a configuration file.

    `line` and `column` count from 1; 0 for a fault of the file as a whole. `field` is the path of the value,
    as in `cameras[2].lanes[0].direction`, empty when the text is not even YAML.
    """

    file: str
    line: int
    column: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (place, self.field, self.message) if part)


class ConfigError(MatThanError):
    """A configuration is wrong. `problems` holds all faults found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SourceError(MatThanError):
    """A recording or camera cannot be opened or read."""


class AnchorError(SourceError):
    """A recording has no start time: none given, none in its name, none in its container."""


class ModelError(MatThanError):
    """A model is missing, altered, or not what the manifest says it is."""


class ProviderError(ModelError):
    """The installed inference runtime does not have the execution provider asked for."""


class PluginError(MatThanError):
    """A rule or detector plugin fails to import."""


class EvidenceError(MatThanError):
    """An evidence package cannot be written, read or verified."""


class DeliveryError(MatThanError):
    """A target of notifications did not take a message."""


class ArchiveError(EvidenceError):
    """The archive of evidence is away, refuses, or does not give back what was put there."""


class StoreError(MatThanError):
    """The database refuses, cannot be reached, or holds another schema version."""


class QueryError(StoreError):
    """A query cannot be asked as it stands: a malformed cursor, or a value no column can hold."""


class ConflictError(StoreError):
    """A change contradicts what is stored, such as a second user of the same name."""
