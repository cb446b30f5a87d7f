"""Whatever a command writes bears the seal of the data folder's key."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.paths import DataFolder
from pipeline.review import Action, Decision, ReviewPolicy
from pipeline.signing import Signer
from pipeline.spool import Found, Refused
from pipeline.spool.records import to_line
from pipeline.store import Repository
from pipeline.types import Findings
from tests.api.site import encode, film
from tests.store.makers import NOON, violation

STREAMS = """
site: {name: Huế, timezone: Asia/Ho_Chi_Minh}
cameras:
  - {id: gate-1, source: rtsp://10.0.0.1/main, retention: {violations: 1}}
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, UUID]:
    """A data folder with an accepted case, and a record that was refused; and the id of the case."""
    root = tmp_path_factory.mktemp("sealed")
    (root / "streams.yaml").write_text(STREAMS, encoding="utf-8")
    folder = DataFolder(root).create()
    signer = Signer.open(folder.keys)
    with Repository.open(folder.database_url, signer) as repository:
        found = film(repository, folder.evidence, encode(root / "clip.mp4"), 0, signer)
        decision = Decision(Action.ACCEPT, "lan", plate="75A-100.45")
        repository.decide_review(found.id, decision, ReviewPolicy(), version=0, now=NOON)
    folder.spool.mkdir()
    Refused(folder.spool).add(
        to_line(Found(Findings((violation(7, end=NOON),)), None)).decode(), "the database was full"
    )
    return root, found.id


def entries(root: Path) -> int:
    """How many entries the chain has; AssertionError when one of them bears no seal of a key of the data folder."""
    folder = DataFolder(root)
    trusted = Signer.open(folder.keys).trusted
    with Repository.examine(folder.database_url) as repository:
        assert [str(fault) for fault in repository.check_chain(trusted=trusted)] == []
        assert repository.chain_sealed_from() == 1
        return repository.chain_head().number


@pytest.mark.parametrize(
    "arguments",
    [
        "users add lan --role reviewer",
        "users reset lan",
        "refused store",
        "report day --day 2026-11-01 -o {out}/report.csv",
        "published-cases day --day 2026-11-01 -o {out}/cases.json",
        "training-set {out}/set.zip --split time",
        "case {case} {out}/case.zip --reason 12/2026",
        "retention hold {case} --reason 13/2026",
        "keys rotate",
        "retention release {case}",
        "retention --apply",
    ],
)
def test_a_command_seals_what_it_writes(installation: tuple[Path, UUID], tmp_path: Path, arguments: str) -> None:
    root, case = installation
    before = entries(root)
    typed = [each.format(out=tmp_path, case=case) for each in arguments.split()]
    answer = CliRunner().invoke(app, [*typed, "--config", str(root / "streams.yaml"), "--data", str(root)])
    assert answer.exit_code == 0, answer.output + str(answer.exception or "")
    assert entries(root) > before
