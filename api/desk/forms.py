"""Where a form leads on to."""

from __future__ import annotations


def local_path(target: str) -> str:
    """A path on this site, so that a link to the sign-in page cannot lead on to another; "/" for anything else."""
    safe = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if safe else "/"
