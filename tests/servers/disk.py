"""A disk of four mebibytes, and one that hangs."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import pytest


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a full disk needs the right to mount one: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the space there is."""
    filler = folder / "filler"
    block = bytes(4096)
    with FileIO(filler, "w") as file:
        try:
            while True:
                file.write(block)
        except OSError as error:
            assert error.errno == errno.ENOSPC
    return filler


@dataclass
class HangingDisk:
    """A file system that answers no writing while it is frozen, like a network drive that is away."""

    folder: Path
    frozen: bool = False

    def freeze(self) -> None:
        subprocess.run(["fsfreeze", "--freeze", self.folder], check=True)
        self.frozen = True

    def thaw(self) -> None:
        if self.frozen:
            subprocess.run(["fsfreeze", "--unfreeze", self.folder], check=True)
        self.frozen = False


@pytest.fixture
def hanging_disk(tmp_path: Path) -> Iterator[HangingDisk]:
    image, folder = tmp_path / "disk.img", tmp_path / "network-drive"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(64 * 2**20)
    try:
        for command in (("mkfs.ext4", "-q", image), ("mount", "-o", "loop", image, folder)):
            subprocess.run(command, check=True, capture_output=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a disk that hangs needs the right to mount one: {getattr(error, 'stderr', '') or error}")
    disk = HangingDisk(folder)
    try:
        yield disk
    finally:
        disk.thaw()
        subprocess.run(["umount", "--lazy", folder], check=True)
