"""Makes one redacted copy: `python -m pipeline.redaction.worker PACKAGE TARGET KEYS OWNER`.

In a process of its own, below the priority of everything else and no longer than its owner: it takes several seconds
of processor time for each second of a clip. Each line of its output is the share done, of 1; an error is its last line
of errors.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from pipeline.errors import MatThanError
from pipeline.process import end_with
from pipeline.redaction.export import export
from pipeline.signing import Signer


def main(package: str, target: str, keys: str, owner: str) -> int:
    end_with(int(owner))
    with suppress(OSError):
        os.nice(19)
    try:
        signer = Signer.existing(Path(keys))
        export(Path(package), Path(target), redact=True, signer=signer, progress=lambda _, share: _tell(share))
    except MatThanError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _tell(share: float) -> None:
    sys.stdout.write(f"{share:.3f}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
