"""Follows streams.yaml while the program runs."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from pipeline.config import Changes, Config, ConfigFile, compare, in_force
from pipeline.errors import ConfigError, ModelError, PluginError
from pipeline.installation import Installation

log = structlog.get_logger()


class Reloader:
    """Reads the file again when it has changed, or at once when `asked`; what is wrong with it changes nothing.

    A good file is put in force, with the models that its new cameras need loaded first, and then handed to `apply`.
    """

    def __init__(self, file: ConfigFile, installation: Installation, apply: Callable[[Changes, Config], None]) -> None:
        self.asked = threading.Event()
        self.refused = ""
        self._file = file
        self._installation = installation
        self._apply = apply

    @property
    def name(self) -> str:
        """The file, as the store names it."""
        return str(self._file.path.absolute())

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
            installation.load_models(changes.started)
        except (ConfigError, ModelError, PluginError) as error:
            self._refuse(str(error))
            return
        if self.refused:
            log.info("streams.yaml is good again", file=self.name)
        if changes or self.refused:
            self.refused = ""
            config = in_force(installation.config, read)
            note = (
                f"{' and '.join(changes.later)} changed: restart the program to let that hold" if changes.later else ""
            )
            installation.take(config, self.name, note)
            if note:
                log.warning(note, file=self.name)
        log.info("streams.yaml read again", file=self.name, changes=str(changes))
        self._apply(changes, installation.config)

    def _refuse(self, reason: str) -> None:
        self.refused = reason
        log.error("streams.yaml is wrong; what was in force stays so", file=self.name, error=reason)
        self._installation.refuse(self.name, reason)
