"""`matthan serve`: the application on a port, and the first administrator."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import uvicorn
from pydantic import SecretStr
from rich.console import Console

from api.app import create_app
from api.auth.accounts import create_first_users, create_user, reset_user
from api.settings import Settings
from pipeline.config import Config
from pipeline.config.camera import plate_countries
from pipeline.config.registration import Registration
from pipeline.config.watchlists import Watchlists
from pipeline.errors import MatThanError
from pipeline.kept_secret import kept_secret
from pipeline.paths import DataFolder
from pipeline.signing import Signer
from pipeline.store import Repository, Role

__all__ = ["create_user", "reset_user", "serve"]

SWITCH_SECONDS = 0.02
"""How long a thread that computes keeps the interpreter from the others. Those of requests give it up by themselves
whenever they ask the database, every millisecond or so; to be made to in between, as by default after 5 ms, costs half
as much processor again under load, most of it while all others wait for one to write."""


def serve(
    config: Config,
    data: DataFolder,
    host: str,
    port: int,
    registration: Registration | None = None,
    *,
    first_users: Sequence[Role] = (Role.ADMIN,),
) -> None:
    """Serve the API and the desk until SIGINT or SIGTERM.

    `registration` is the file that `config` was read from, where the desk is to show and change it.
    Prints the address (`port` 0 takes a free one) and, on the first run ever, the one-time passwords of the first
    users, one of each of these roles.

    Raises:
        StoreError: the database cannot be opened.
        MatThanError: the address is in use or not one of this machine.
    """
    data.create()
    database = config.storage.database or SecretStr(data.database_url)
    settings = Settings(
        database_url=database,
        evidence_root=(config.storage.evidence_folder or data.evidence).absolute(),
        plates_root=data.plates.absolute(),
        stills_root=data.stills.absolute(),
        registration=registration,
        archive_url=config.storage.archive,
        archive_options=config.storage.evidence_options,
        archive_cache=data.fetched_evidence.absolute(),
        keys_root=data.keys.absolute(),
        checkpoints=data.checkpoints.absolute(),
        copies_root=data.copies.absolute(),
        site_name=config.site.name or "Mắt Thần",
        site_language=config.site.language,
        timezone=ZoneInfo(config.site.timezone),
        plate_countries=plate_countries(config.cameras),
        review=config.review.policy,
        access=config.access.policy,
        access_key=access_key(config, data),
        journeys=config.journeys.limits,
        publication=config.publication,
        training_root=data.training.absolute(),
        retention={camera.id: camera.retention for camera in config.cameras},
        base_map=config.map.ground,
        watchlists=Watchlists(registration, ZoneInfo(config.site.timezone)) if registration else None,
    )
    listener = _listen(host, port)
    with Repository.open(database.get_secret_value(), Signer.open(data.keys)) as repository:
        passwords = create_first_users(repository, first_users)
        repository.analyse()  # once in a while: how rows are spread changes slowly
    console = Console(soft_wrap=True, highlight=False, markup=False)
    shown_host = f"[{host}]" if ":" in host else host
    console.print(f"Serving on http://{shown_host}:{listener.getsockname()[1]}/ (Ctrl-C stops)")
    for name, password in passwords.items():
        console.print(f"Sign in as {name} with the one-time password {password}")
    sys.setswitchinterval(SWITCH_SECONDS)
    options = uvicorn.Config(create_app(settings), log_level="warning", server_header=False, access_log=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # the server raises them again once it has shut down in order
    uvicorn.Server(options).run(sockets=[listener])


def access_key(config: Config, data: DataFolder) -> SecretStr:
    """Raises ConfigError when it can be neither read nor made."""
    return SecretStr(kept_secret(config.access.key, data.access_key, "the key of second factors").decode())


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # so that the address answers from the moment it is printed
    except OSError as error:
        listener.close()
        raise MatThanError(f"cannot serve on {host} port {port}: {error.strerror}; choose another --port") from error
    return listener
