"""Follows streams.yaml while the program runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import structlog

from pipeline.config import Changes, Config, ConfigFile, ConfigVersion, compare, in_force
from pipeline.errors import ConfigError, ModelError, PluginError
from pipeline.installation import Installation
from pipeline.spool import ConfigurationRefused, ConfigurationTaken

log = structlog.get_logger()


class Reloader:
    """Reads the file again when it has changed, or at once when `asked`; what is wrong with it changes nothing.

    A good file is put in force, with the models that its new cameras need loaded first, and then handed to `apply`.
    """

    def __init__(self, file: ConfigFile, installation: Installation, apply: Callable[[Changes, Config], None]) -> None:
        self.asked = threading.Event()
        self.refused = ""
        self._since = datetime.now(UTC)
        self._note = ""
        self._good = installation.networks.engine.metrics.configuration_good
        self._file = file
        self._installation = installation
        self._apply = apply

    @property
    def name(self) -> str:
        """The file, as the store names it."""
        return str(self._file.path.absolute())

    def begin(self) -> None:
        """What the program started with is in force."""
        self._take(self._installation.config)

    def status(self) -> dict[str, Any]:
        """What is in force, fit for JSON: the version's hash; why the file as it is now is refused, None when it is
        good; since when that is so; what of the file holds only from the next start."""
        return {
            "file": self.name,
            "hash": self._installation.configuration,
            "refused": self.refused or None,
            "since": self._since.isoformat(),
            "note": self._note,
        }

    def look(self) -> None:
        """Reload if there is a reason to; call it every few seconds."""
        if self.asked.is_set() or self._file.changed():
            self.asked.clear()
            self._reload()

    def end(self) -> None:
        """The program stops: nothing of the file is in force any more."""
        self._installation.outlet.latest("configuration", lambda repository: repository.end_configuration(self.name))

    def _reload(self) -> None:
        installation = self._installation
        try:
            read = self._file.load()
            changes = compare(installation.config, read)
            installation.networks.load(changes.started)
        except (ConfigError, ModelError, PluginError) as error:
            self._refuse(str(error))
            return
        if self.refused:
            log.info("streams.yaml is good again", file=self.name)
        config = in_force(installation.config, read)
        if self.refused or config != installation.config:  # which may differ in what touches no camera that runs
            self._take(config, changes.later)
        log.info("streams.yaml read again", file=self.name, changes=str(changes))
        self._apply(changes, installation.config)

    def _take(self, config: Config, later: Sequence[str] = ()) -> None:
        self._note = f"{' and '.join(later)} changed: restart the program to let that hold" if later else ""
        if self._note:
            log.warning(self._note, file=self.name)
        self.refused, self._since = "", datetime.now(UTC)
        self._good.set(1)
        version, installation = ConfigVersion.of(config), self._installation
        installation.outlet.append(
            ConfigurationTaken(uuid4(), self.name, version.hash, version.text, self._note, os.getpid(), self._since)
        )
        installation.config, installation.configuration = config, version.hash

    def _refuse(self, reason: str) -> None:
        self.refused, self._since = reason, datetime.now(UTC)
        self._good.set(0)
        log.error("streams.yaml is wrong; what was in force stays so", file=self.name, error=reason)
        self._installation.outlet.append(ConfigurationRefused(uuid4(), self.name, reason, os.getpid(), self._since))
