"""Paths that cannot lead out of the folder that they belong to."""

from __future__ import annotations

from pathlib import Path


def confined(root: Path, *parts: str) -> Path | None:
    """The path below `root`, or None for one that leads out of it, by `..` or by a link."""
    root = root.resolve()
    path = root.joinpath(*parts).resolve()
    return path if path.is_relative_to(root) else None
