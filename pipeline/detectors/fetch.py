"""Bringing models in: from their public release, or from a file of the user's."""

from __future__ import annotations

import errno
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.detectors import families
from pipeline.detectors.family import Description
from pipeline.detectors.manifest import (
    Document,
    Entry,
    Manifest,
    Model,
    Threshold,
    added_folder,
    digest,
    read,
)
from pipeline.detectors.plates.slots import FAMILY, SlotRecogniser
from pipeline.detectors.session import Runtime, Session, open_session
from pipeline.errors import ModelError
from pipeline.paths import DataFolder

ATTEMPTS = 5
_REFUSED = range(400, 500)

Progress = Callable[[int, int | None], None]
"""Called with the bytes there so far and the bytes in all, None when the server does not say."""


def pull(model: Model, *, progress: Progress | None = None, pause: float = 1.0) -> Path:
    """Fetch a model's weights unless they are there already.

    A transfer that breaks off is resumed where it stopped, up to ATTEMPTS times with a growing `pause` in
    seconds, and by the next call after that. The file gets its name only when its SHA-256 is right.

    Raises:
        ModelError: the model has no URL, the server refuses, the transfer keeps breaking off, the file
            is not the one of the manifest, or it cannot be written.
    """
    if model.present and digest(model.path) == model.sha256:
        return model.path
    if not model.entry.url:
        raise ModelError(f"model {model.name!r} has no URL to fetch it from; its weights belong at {model.path}")
    part = model.path.with_name(model.path.name + ".part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        resumed = part.is_file() and part.stat().st_size > 0
        _download(model, part, progress, pause)
        if digest(part) != model.sha256 and resumed:  # the part left behind was of another file
            part.unlink()
            _download(model, part, progress, pause)
        found = digest(part)
        if found != model.sha256:
            part.unlink()
            raise ModelError(
                f"{model.entry.url}: not the file of the manifest: SHA-256 is {found}, expected {model.sha256}: "
                "the release has changed or the transfer was tampered with; nothing was kept"
            )
        part.replace(model.path)
    except OSError as error:
        raise _unwritable(part, error) from error
    return model.path


def _download(model: Model, part: Path, progress: Progress | None, pause: float) -> None:
    """Append what is missing to `part` until the transfer ends whole."""
    fault = ""
    with httpx.Client(follow_redirects=True, timeout=30) as client:
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(pause * 2 ** (attempt - 1))
            try:
                if _transfer(client, model.entry.url, part, progress):
                    return
            except httpx.HTTPStatusError as error:
                fault = f"the server answers {error.response.status_code} {error.response.reason_phrase}"
                if error.response.status_code in _REFUSED:
                    raise ModelError(f"{model.entry.url}: {fault}: model {model.name!r} is not there") from error
            except (httpx.TransportError, httpx.TooManyRedirects, httpx.InvalidURL) as error:
                fault = str(error) or type(error).__name__
    there = part.stat().st_size if part.is_file() else 0
    raise ModelError(
        f"{model.entry.url}: the transfer broke off {ATTEMPTS} times, {there} bytes are kept: {fault}: "
        f"go on with  matthan models pull {model.name}"
    )


def _transfer(client: httpx.Client, url: str, part: Path, progress: Progress | None) -> bool:
    """One request. False when the part left behind does not fit the file and was dropped."""
    start = part.stat().st_size if part.is_file() else 0
    # Compressed transfers count other bytes than the file has, so that they could not be resumed.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            total = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
            if total and int(total[1]) == start:
                return True
            part.unlink()
            return False
        response.raise_for_status()
        if response.status_code != httpx.codes.PARTIAL_CONTENT:
            start = 0
        length = response.headers.get("Content-Length")
        total_bytes = start + int(length) if length and length.isdigit() else None
        with part.open("ab" if start else "wb") as file:
            for chunk in response.iter_bytes():
                file.write(chunk)
                if progress:
                    progress(file.tell(), total_bytes)
    return True


def add(
    path: Path,
    data: DataFolder,
    *,
    name: str = "",
    family: str = "",
    classes: tuple[str, ...] = (),
    threshold: Threshold | None = None,
    licence: str = "",
    plate: Path | None = None,
) -> Model:
    """Register a local ONNX file: load it once to see that it works, copy it and note it in the manifest.

    Family and class names come from the file's metadata where they are not given. A recogniser of plates is added
    with the file of its plate config (YAML).

    Raises:
        ModelError: the file is not a model of a known family, a needed detail is not known, or the name is taken.
    """
    name = name or re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._")
    known = Manifest.load(data)
    if name in known.models:
        raise ModelError(f"a model is called {name!r} already: give another name")
    if not path.is_file():
        raise ModelError(f"{path}: no such file")
    fields = _of_recogniser(plate) if plate else _of_detector(path, family, classes)
    fields |= {"name": name, "file": f"{name}.onnx", "sha256": digest(path)}
    fields |= {"licence": licence} if licence else {}
    fields |= {} if threshold is None else {"threshold": threshold}
    try:
        entry = Entry.model_validate(fields)
    except ValidationError as error:
        faults = "; ".join(
            f"{fault['loc'][0] if fault['loc'] else 'model'}: {fault['msg']}" for fault in error.errors()
        )
        raise ModelError(f"{path}: cannot be added: {faults}") from error
    model, runtime = Model(entry, path, "added"), Runtime(threads=1)
    if plate:
        SlotRecogniser(model, runtime)
    else:
        families()[entry.family].load(model, entry.threshold, runtime)
    return _register(entry, path, data)


def _of_detector(path: Path, family: str, classes: tuple[str, ...]) -> dict[str, object]:
    """The fields of a detector's entry that its file tells."""
    session = open_session(path, Runtime(threads=1))
    family, told = _recognise(session, family)
    if not classes and told is None:
        raise ModelError(f"{path}: its metadata names no classes: give them")
    signature = session.signature
    width = told.width if told else signature.width or 640
    height = told.height if told else signature.height or 640
    return {
        "family": family,
        "size": (width, height),
        "classes": classes or (told.classes if told else ()),
        "licence": session.metadata.get("license", session.metadata.get("licence", "unknown")),
    }


def _of_recogniser(plate: Path) -> dict[str, object]:
    """The fields of a recogniser's entry, from the file of its plate config."""
    try:
        settings = YAML(typ="safe").load(plate.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise ModelError(f"{plate}: cannot be read as a plate config: {error}") from error
    return {"task": "plate text", "family": FAMILY, "plate": settings}


def _recognise(session: Session, family: str) -> tuple[str, Description | None]:
    known = families()
    if family and family not in known:
        raise ModelError(f"no family is called {family!r}: known are {', '.join(known)}")
    for candidate in [family] if family else known:
        told = known[candidate].describe(session)
        if told or family:
            return candidate, told
    raise ModelError(
        f"{session.path}: its metadata does not tell the family: give one of {', '.join(known)}, and the classes"
    )


def _register(entry: Entry, path: Path, data: DataFolder) -> Model:
    """Copy the weights, then write the manifest: each appears whole or not at all."""
    folder = added_folder(data)
    manifest, target = folder / "manifest.yaml", folder / entry.file
    try:
        folder.mkdir(parents=True, exist_ok=True)
        weights = target.with_name(target.name + ".part")
        shutil.copyfile(path, weights)
        weights.replace(target)
        there = read(manifest).models if manifest.is_file() else ()
        draft = manifest.with_name(manifest.name + ".part")
        with draft.open("w", encoding="utf-8") as file:
            YAML().dump(Document(models=(*there, entry)).model_dump(mode="json", exclude_defaults=True), file)
        draft.replace(manifest)
    except OSError as error:
        raise _unwritable(target, error) from error
    return Model(entry, target, "added")


def _unwritable(path: Path, error: OSError) -> ModelError:
    if error.errno == errno.ENOSPC:
        return ModelError(f"{path}: the disk is full: make room and try again; what is there is kept")
    return ModelError(f"{path}: cannot be written: {error.strerror or error}")
