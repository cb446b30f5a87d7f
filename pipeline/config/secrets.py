"""`${…}` in the file: secrets from the environment or from files; and texts made fit to be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from pipeline.config.suggestions import did_you_mean

MAX_SECRET_BYTES = 64 * 1024
HIDDEN = "***"
_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<inside>[^{}]*)\}|\$\{")
_VARIABLE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<fallback>:-(?P<default>.*))?", re.DOTALL)
_DEFAULT = re.compile(r"(\$\{[A-Za-z0-9_]*:-)[^{}]*")
_USER_PART = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://|(?=.*:)).*@", re.DOTALL)
_QUERY = re.compile(r"(?P<before>[A-Za-z][A-Za-z0-9+.-]*://[^?]*\?).+|(?P<other>[^?]*\?).*=.*", re.DOTALL)
_PARAMETER = re.compile(
    r"(?i)(?P<name>(?<![\w-])[\w-]*(?:pass|pwd|token|secret|auth|key|user|login|sig)[\w-]*=)[^&?#/\s]*"
)
_BASE = re.compile(r"(?P<base>[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)(?P<rest>.*)", re.DOTALL)


class MissingSecretError(ValueError):
    """A `${…}` cannot be filled in; the text says why and never holds a secret."""


def redact(text: str) -> str:
    """A URL or path without user, password, query and secret parameters: `rtsp://***@host/path?***`.

    Cautious with malformed text: rather too much is hidden than too little.
    """
    scheme, _, rest = text.rpartition("://")
    if "@" in rest.partition("?")[2]:  # a query or a password: nobody can tell where the host is
        return f"{scheme}://{HIDDEN}" if scheme.isalpha() else HIDDEN
    text = _USER_PART.sub(rf"\g<scheme>{HIDDEN}@", _DEFAULT.sub(rf"\1{HIDDEN}", text), count=1)
    if query := _QUERY.fullmatch(text):
        text = f"{query['before'] or query['other']}{HIDDEN}"
    return _PARAMETER.sub(rf"\g<name>{HIDDEN}", text)


def expand(template: str, environment: Mapping[str, str], folder: Path) -> str:
    """Fill in `${VAR}`, `${VAR:-default}` and `${file:path}`; `$${` stands for a literal `${`.

    What fills in the user part of a URL (`scheme://user:password@host`) is percent-encoded, so that a
    password may hold any character. Relative secret files are sought in `folder`.

    Raises:
        MissingSecretError: a variable or file is missing or empty, or the `${…}` is malformed.
    """
    user_part = _end_of_user_part(template)
    wrong: list[str] = []

    def fill(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        try:
            value = _value(found["inside"], environment, folder)
        except MissingSecretError as error:
            wrong.append(str(error))
            return ""
        return quote(value, safe="") if found.start() < user_part else value

    filled = _REFERENCE.sub(fill, template)
    if wrong:
        raise MissingSecretError("; ".join(wrong))
    return filled


def secret_files(template: str, folder: Path) -> list[Path]:
    """The files that `${file:…}` in the template names."""
    inside = (found["inside"] or "" for found in _REFERENCE.finditer(template))
    return [folder / text.removeprefix("file:") for text in inside if text.startswith("file:")]


def masked(template: str, environment: Mapping[str, str], folder: Path) -> str:
    """The template of a URL filled in as by `expand`, but with *** for what stands behind the host.

    Where one `${…}` holds scheme and host, all that it brings behind the host is hidden, too. The user part is
    filled in: `redact` hides it.
    """
    found = _BASE.match(_blanked(template))
    end = found.end("base") if found else len(template)
    base = _BASE.match(expand(template[:end], environment, folder))
    if base is None:
        return HIDDEN
    brought = f"/{HIDDEN}" if base["rest"] else ""
    behind = _REFERENCE.sub(lambda each: "${" if each[0] == "$${" else HIDDEN, template[end:])
    return f"{base['base']}{brought}{behind}"


def is_template(text: str) -> bool:
    """Whether the text asks for something to be filled in."""
    return _REFERENCE.search(text) is not None


def _end_of_user_part(template: str) -> int:
    """Where the `@` of `scheme://user:password@host` stands; 0 when the template has none."""
    found = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*@", _blanked(template))
    return found.end() if found else 0


def _blanked(template: str) -> str:
    """As long as the template, without the signs that stand in its `${…}`."""
    return _REFERENCE.sub(lambda found: "_" * len(found[0]), template)


def _value(inside: str | None, environment: Mapping[str, str], folder: Path) -> str:
    if inside is None:
        raise MissingSecretError("a `${` is not closed or holds another; write ${NAME}, or $${ for the text itself")
    if inside.startswith("file:"):
        return _read(inside.removeprefix("file:"), folder)
    variable = _VARIABLE.fullmatch(inside)
    if variable is None:
        raise MissingSecretError(
            "`${…}` holds no name; allowed are ${NAME}, ${NAME:-default} and ${file:/run/secrets/name}"
        )
    name = variable["name"]
    if value := environment.get(name):
        return value
    if variable["fallback"]:
        return variable["default"]
    if name in environment:
        raise MissingSecretError(f"the environment variable {name} is empty; set it, or write ${{{name}:-default}}")
    near = did_you_mean(name, environment, likeness=0.8)
    raise MissingSecretError(f"the environment variable {name} is not set{near}; set it, or write ${{{name}:-default}}")


def _read(name: str, folder: Path) -> str:
    try:
        path = folder / name
        if not path.is_file():
            raise MissingSecretError(f"the secret file {name!r} is not there")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, MissingSecretError):
            raise
        reason = error.strerror if isinstance(error, OSError) else "not a file name"
        raise MissingSecretError(f"the secret file {name!r} cannot be read: {reason}") from None
    if len(content) > MAX_SECRET_BYTES:
        raise MissingSecretError(f"the secret file {name!r} is larger than {MAX_SECRET_BYTES // 1024} KiB")
    try:
        text = content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise MissingSecretError(f"the secret file {name!r} is not UTF-8 text") from None
    if not text:
        raise MissingSecretError(f"the secret file {name!r} is empty")
    return text
