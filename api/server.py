"""Serving the application: the first administrator, the address, the server."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn

from api.app import create_app
from api.auth.sessions import create_admin
from api.settings import Settings
from pipeline.store import Repository


def serve(settings: Settings, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. `announce` is given the address and, on the first run ever, the name and
    one-time password of the first administrator, line by line.

    Raises StoreError when the database cannot be opened.
    """
    with Repository.open(settings.database_url.get_secret_value()) as repository:
        password = create_admin(repository)
    shown_host = f"[{host}]" if ":" in host else host
    announce(f"Serving on http://{shown_host}:{port}")
    if password is not None:
        announce(f"Sign in as admin with the one-time password {password}")
    config = uvicorn.Config(
        create_app(settings), host=host, port=port, log_level="warning", server_header=False, access_log=False
    )
    uvicorn.Server(config).run()
