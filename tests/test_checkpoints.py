from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from pipeline.checkpoints import CheckpointKeeper, checkpoint, keep_checkpoint, read_checkpoints
from pipeline.cli import app
from pipeline.errors import EvidenceError
from pipeline.paths import DataFolder
from pipeline.signing import Signer, TrustedKeys
from pipeline.store import Repository
from pipeline.store.chain import canonical
from pipeline.types import Findings
from tests.store.makers import violation


@pytest.fixture
def site(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data").create()


@pytest.fixture
def repository(site: DataFolder) -> Iterator[Repository]:
    with Repository.open(site.database_url, Signer.open(site.keys)) as opened:
        opened.save(Findings((violation(),)))
        yield opened


def run(*arguments: str) -> tuple[int, str]:
    answer = CliRunner().invoke(app, list(arguments))
    return answer.exit_code, answer.output


def test_a_checkpoint_is_kept_whenever_the_chain_has_grown(repository: Repository, site: DataFolder) -> None:
    signer = Signer.open(site.keys)
    assert keep_checkpoint(repository, signer, site.checkpoints)
    assert not keep_checkpoint(repository, signer, site.checkpoints)
    repository.record_audit("lan", "violation.view", "violation", "1")
    with CheckpointKeeper(lambda: repository, signer, site.checkpoints):
        pass  # at the end, too
    heads, faults = read_checkpoints(site.checkpoints, signer.trusted)
    assert faults == []
    assert [(head.number, head.sealed_from) for head in heads] == [(1, 1), (2, 1)]
    assert list(repository.check_chain(heads, signer.trusted)) == []


def test_a_checkpoint_from_before_there_were_seals_counts_still(repository: Repository, site: DataFolder) -> None:
    signer = Signer.open(site.keys)
    made = checkpoint(repository, signer)
    fields = {name: value for name, value in made.items() if name not in ("sealed_from", "signature")}
    line = {**fields, "signature": signer.sign(canonical(fields).encode())}
    site.checkpoints.write_text(json.dumps(line) + "\n")
    ((head,), faults) = read_checkpoints(site.checkpoints, signer.trusted)
    assert (faults, head.number, head.sealed_from) == ([], 1, 0)
    assert list(repository.check_chain([head], signer.trusted)) == []


def test_the_command_names_an_entry_that_was_put_on_the_end(
    repository: Repository, site: DataFolder, tmp_path: Path
) -> None:
    data = ("--data", str(site.root))
    keep_checkpoint(repository, Signer.open(site.keys), site.checkpoints)
    code, told = run("verify", "--database", *data)
    assert (code, "every one bears a seal;" in told) == (0, True), told
    nowhere = ("--data", str(tmp_path / "nowhere"))
    code, told = run("verify", "--database", str(site.root / "matthan.db"), *nowhere)
    assert (code, "the seals were not checked: give --key" in told) == (0, True), told
    with Repository.open(site.database_url) as keyless:
        keyless.close_open_violations("gate-1", "by one without the key")
    repository.record_audit("lan", "violation.view", "violation", "1")
    code, told = run("verify", "--database", *data)
    assert code == 1
    assert f"chain 2, seal: bears no seal (of violations {violation().id})" in told
    with repository.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER chain_no_update"))
        connection.execute(text("UPDATE chain SET seal = NULL"))
    assert "chain 1, seal: bears no seal" in run("verify", "--database", *data)[1]
    public = tmp_path / "public.pem"
    public.write_text(run("keys", "show", "--pem", *data)[1])
    code, told = run("verify", "--database", str(site.root / "matthan.db"), "--key", str(public), *nowhere)
    assert (code, "no entry bears a seal" in told) == (0, True), told


def test_lines_that_nobody_trusted_signed_are_named(repository: Repository, site: DataFolder, tmp_path: Path) -> None:
    signer = Signer.open(site.keys)
    keep_checkpoint(repository, signer, site.checkpoints)
    (line,) = site.checkpoints.read_text().splitlines()
    forged = {**json.loads(line), "number": 0}
    site.checkpoints.write_text("\n".join([line, json.dumps(forged), "{}", "x", "[1]"]) + "\n")
    heads, faults = read_checkpoints(site.checkpoints, signer.trusted)
    assert len(heads) == 1
    assert faults[0].startswith("line 2 does not bear the signature")
    assert faults[1:] == ["line 3 is no checkpoint", "line 4 is no checkpoint", "line 5 is no checkpoint"]
    stranger = TrustedKeys([Signer.open(tmp_path / "stranger").public])
    assert "not trusted here" in read_checkpoints(site.checkpoints, stranger)[1][0]
    with pytest.raises(EvidenceError, match="cannot be read"):
        read_checkpoints(tmp_path / "none", signer.trusted)


def test_the_command_checks_a_database_and_names_a_cut_off_tail(
    repository: Repository, site: DataFolder, tmp_path: Path
) -> None:
    data = ("--data", str(site.root))
    keep_checkpoint(repository, Signer.open(site.keys), site.checkpoints)
    before = site.root.joinpath("matthan.db").read_bytes()
    code, told = run("verify", "--database", *data)
    assert code == 0, told
    assert "checkpoints reach to entry 1" in told
    assert site.root.joinpath("matthan.db").read_bytes() == before
    with repository.engine.begin() as connection:
        connection.execute(text("UPDATE violations SET confidence = 0.1"))
    code, told = run("verify", "--database", "--json", *data)
    assert code == 1
    (checked,) = json.loads(told)["checked"]
    assert [(fault["table"], fault["field"]) for fault in checked["faults"]] == [("violations", "confidence")]
    with repository.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER chain_no_delete"))
        connection.execute(text("DELETE FROM chain"))
        connection.execute(text("DELETE FROM violations"))
    code, told = run("verify", "--database", *data)
    assert code == 1
    assert "the chain ends at entry 0, but the checkpoint of" in told
    url = f"sqlite:///{site.root / 'matthan.db'}"
    assert run("verify", "--database", url, "--data", str(tmp_path / "nowhere"))[0] == 0
    code, told = run("verify", "--database", str(site.root / "matthan.db"), "--data", str(tmp_path / "nowhere"))
    assert code == 0, "nothing tells of a tail that was cut off with its rows"
    assert "no checkpoint was given" in told
    public = tmp_path / "public.pem"
    public.write_text(run("keys", "show", "--pem", *data)[1])
    elsewhere = ("--data", str(tmp_path / "nowhere"), "--key", str(public), "--checkpoint", str(site.checkpoints))
    assert run("verify", "--database", str(site.root / "matthan.db"), *elsewhere)[0] == 1


def test_a_database_of_another_schema_or_none_is_told(tmp_path: Path) -> None:
    code, told = run("verify", "--database", str(tmp_path / "none.db"))
    assert code == 1
    (tmp_path / "other.db").write_bytes(b"")
    code, told = run("verify", "--database", str(tmp_path / "other.db"))
    assert code == 1
    assert "has an older schema" in told
