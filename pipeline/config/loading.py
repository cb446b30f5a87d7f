"""Reads streams.yaml; every fault is found at once and told with its line and column."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.config.document import Document, Fault, Path, parse
from pipeline.config.messages import phrase, show
from pipeline.config.references import check_references
from pipeline.config.schema import Config
from pipeline.config.secrets import MissingSecretError, expand, is_template, masked, secret_files
from pipeline.errors import ConfigError, Problem
from pipeline.rules import RuleConfig, rule_types

MAX_BYTES = 16 * 1024 * 1024


def load(
    path: FilePath | str,
    environment: Mapping[str, str] | None = None,
    models: Mapping[str, Collection[str]] | None = None,
    *,
    on_read: Callable[[FilePath], None] = lambda path: None,
) -> Config:
    """Read and validate a streams.yaml.

    Args:
        path: the file. Relative recordings and secret files begin at its folder.
        environment: what fills in `${VAR}`; the process's environment when None.
        models: known detection models and their classes, to check detectors and rules against; None leaves
            them unchecked.
        on_read: told of each further file, secret or watchlist, before it is read.

    Raises:
        ConfigError: with every problem found, in file order.
        PluginError: a rule plugin does not load.
    """
    path = FilePath(path)
    return load_text(read_text(path), path, environment, models, on_read=on_read)


def load_text(
    text: str,
    path: FilePath,
    environment: Mapping[str, str] | None = None,
    models: Mapping[str, Collection[str]] | None = None,
    *,
    on_read: Callable[[FilePath], None] = lambda path: None,
) -> Config:
    """Validate the text of a streams.yaml as if it stood at `path`. Arguments and errors as of `load`."""
    document = parse(text)
    faults = list(document.faults)
    config: Config | None = None
    if not any(fault.path == () for fault in faults):
        shown: dict[str, str] = {}
        environment = os.environ if environment is None else environment
        data, missing = _fill_in(document.data, environment, path.parent, shown, on_read)
        faults += missing
        faults += check_references(document.data, models)
        context = {"folder": path.parent, "file": str(path), "shown": shown, "on_read": on_read}
        config, wrong = _validate(data, document, context)
        faults += [fault for fault in wrong if not _told_already(fault, faults)]
    if faults or config is None:
        raise ConfigError(_located(faults, document, str(path)))
    return config


def read_text(path: FilePath) -> str:
    """The text of the file.

    Raises:
        ConfigError: it is not there, no file, too large or not UTF-8.
    """
    line = column = 0
    try:
        if path.is_dir():
            message = "is a folder; name the file in it, as in streams.yaml"
        elif len(content := path.read_bytes()) > MAX_BYTES:
            message = f"is larger than {MAX_BYTES // 1024 // 1024} MiB; that is no streams.yaml"
        else:
            return content.decode("utf-8-sig")
    except FileNotFoundError:
        message = "there is no such file"
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        message = f"byte 0x{content[error.start]:02X} is not UTF-8; save the file as UTF-8"
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
    except ValueError:
        message = "is no file name"
    raise ConfigError([Problem(str(path), line, column, "", message)])


def _fill_in(
    data: Any,
    environment: Mapping[str, str],
    folder: FilePath,
    shown: dict[str, str],
    on_read: Callable[[FilePath], None],
) -> tuple[Any, list[Fault]]:
    """A copy of the data with `${…}` filled in where secrets may stand, and the faults met.

    `shown` receives how each text that was filled in may be shown.
    """
    faults: list[Fault] = []

    def copy(value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            return {key: copy(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [copy(inner, (*path, index)) for index, inner in enumerate(value)]
        if not isinstance(value, str) or not is_template(value):
            return value
        if not _may_hold_secrets(path):
            where = "source, storage and targets of notifications"
            faults.append(Fault(path, f"found {show(value)}; `${{…}}` is filled in only under {where}"))
            return value
        for file in secret_files(value, folder):
            on_read(file)
        try:
            filled = expand(value, environment, folder)
            shown[filled] = masked(value, environment, folder)
            return filled
        except MissingSecretError as error:
            faults.append(Fault(path, str(error)))
            return value

    return copy(data, ()), faults


def _may_hold_secrets(path: Path) -> bool:
    return (
        path[:1] in {("storage",), ("access",)}
        or path[:2] == ("notifications", "targets")
        or (path[:1] == ("cameras",) and path[2:3] == ("source",))
    )


def _validate(data: Any, document: Document, context: dict[str, Any]) -> tuple[Config | None, list[Fault]]:
    if data is None:
        return None, [Fault((), "the file is empty; it needs at least site and cameras", (1, 1))]
    if not isinstance(data, dict):
        return None, [Fault((), f"found {show(data)}; a mapping with site and cameras is needed")]
    try:
        return Config.model_validate(data, context=context), []
    except ValidationError as error:
        # the inputs may hold secrets that were filled in, so they are left out
        found = error.errors(include_input=False, include_url=False)
        return None, _folded(_fault(details, document) for details in found if not _follows(details, document))


def _fault(error: ErrorDetails, document: Document) -> Fault:
    missing, unknown = error["type"] == "missing", error["type"] == "extra_forbidden"
    path = _known_path(error["loc"], document.data)
    fields: dict[str, str] = {}
    if (missing or unknown) and (section := _section(error["loc"][:-1], document)):
        fields = {name: field.description or "" for name, field in section.model_fields.items()}
    message = phrase(error, document.value(path), fields)
    return Fault(error["loc"] if missing else path, message, on_key=unknown)


def _follows(error: ErrorDetails, document: Document) -> bool:
    """Whether a list is called too short only because entries of it are wrong, which is told anyway."""
    found = document.value(error["loc"])
    return error["type"] == "too_short" and isinstance(found, list) and len(found) >= error["ctx"]["min_length"]


def _folded(faults: Iterable[Fault]) -> list[Fault]:
    """The faults, with a list of points given in pixels told once and not for each of its coordinates."""
    kept: dict[tuple[Path, str], list[Fault]] = {}
    for fault in faults:
        coordinate = len(fault.path) > 2 and all(isinstance(step, int) for step in fault.path[-2:])
        key = (fault.path[:-2], fault.message.partition("; ")[2]) if coordinate else (fault.path, fault.message)
        kept.setdefault(key, []).append(fault)
    return [
        replace(same[0], message=f"{same[0].message} (and {len(same) - 1} more here)") if same[1:] else same[0]
        for same in kept.values()
    ]


def _known_path(path: Path, data: Any) -> Path:
    """As much of the path as the file holds: inherited and implied parts are left off."""
    for end, step in enumerate(path):
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return path[:end]
    return path


def _section(path: Path, document: Document) -> type[BaseModel] | None:
    """The schema of the section at `path`."""
    section: type[BaseModel] | None = Config
    for end, step in enumerate(path, start=1):
        if isinstance(step, str) and section is not None:
            field = section.model_fields.get(step)
            section = _section_in(field.annotation) if field else None
        elif section is not None and issubclass(section, RuleConfig):
            kind = document.value((*path[:end], "kind"))
            section = rule_types()[kind].Config if kind in rule_types() else RuleConfig
    return section


def _section_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((section for inner in get_args(annotation) if (section := _section_in(inner))), None)


def _told_already(fault: Fault, earlier: Sequence[Fault]) -> bool:
    """Whether a fault follows from one that is told, because that one's value could not be read."""
    return any(fault.path[: len(told.path)] == told.path for told in earlier)


def _located(faults: Sequence[Fault], document: Document, file: str) -> list[Problem]:
    problems = set()
    for fault in faults:
        line, column = fault.place or document.place(fault.path, on_key=fault.on_key)
        problems.add(Problem(file, line, column, _dotted(fault.path), fault.message))
    return sorted(problems, key=lambda problem: (problem.line, problem.column, problem.field, problem.message))


def _dotted(path: Path) -> str:
    """`cameras[2].lanes[0].direction`; keys from the file are shown shortened."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            key = step if step.isprintable() and len(step) <= 40 else repr(step[:40])[1:-1] + "…"
            text += f".{key}" if text else key
    return text
