"""Logs: one line an event, to standard error."""

from __future__ import annotations

import re
import sys

import structlog

LOGIN = re.compile(r"(?<=://)[^\s/@]+@")
"""The user part of an address."""


def configure() -> None:
    """Readable lines on a terminal, JSON lines elsewhere. Nothing that is logged may hold a secret."""
    terminal = sys.stderr.isatty()
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            hide_logins,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def hide_logins(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Hide logins in addresses, also in those that a library's error brings along."""
    return {key: LOGIN.sub("***@", value) if isinstance(value, str) else value for key, value in event.items()}
