"""Debian's chromium, installed when it is missing and that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HOW = "needs the Debian package chromium: apt-get install chromium"


@cache
def find() -> str | None:
    """The program's path, or None when it is missing and cannot be installed."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found or not Path("/etc/debian_version").exists():
        return found
    prefix = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        try:
            subprocess.run([*prefix, "apt-get", *command], env=environment, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
    return shutil.which("chromium")


@contextmanager
def opened() -> Iterator[Browser]:
    """The browser. Ends the program that asks for it, and says why, where it is missing and cannot be installed."""
    program = find()
    if program is None:
        raise SystemExit(HOW)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
