"""Secrets of the site: from streams.yaml, else from a file in the data folder that is made when first needed."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import structlog
from pydantic import SecretStr

from pipeline.errors import ConfigError, Problem

log = structlog.get_logger()


def kept_secret(given: SecretStr | None, file: Path, what: str) -> bytes:
    """A key that must stay the same from one start of the program to the next.

    Args:
        given: what streams.yaml has, None when it has none.
        file: where the key is kept then. It is made with new randomness when it is not there, for its owner only.
        what: what to call it before people, as in "the key of hashed plates".

    Raises:
        ConfigError: the file cannot be read or written, or holds no key.
    """
    if given is not None:
        return given.get_secret_value().encode()
    try:
        if not file.exists():
            _make(file, what)
        text = file.read_text("ascii").strip()
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            log.warning(f"{what} can be read by others; chmod 600 mends it", file=str(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "holds no key"
        raise ConfigError([Problem(str(file), 0, 0, "", f"{what}: {reason}")]) from None
    if len(text) < 32:
        message = f"this is not {what}; put it back from a copy, or remove it to begin anew with another"
        raise ConfigError([Problem(str(file), 0, 0, "", message)])
    return text.encode()


def _make(file: Path, what: str) -> None:
    """Write a new key in one piece; of two processes that do so at once, the first wins."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as opened:
            opened.write(secrets.token_hex(32) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            return
    finally:
        draft.unlink()
    log.info(f"made {what}; keep a copy of it", file=str(file))
