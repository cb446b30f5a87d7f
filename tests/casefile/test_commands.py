"""`matthan case`, `verify` and `keys`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.paths import DataFolder
from pipeline.signing import Signer
from pipeline.store import Repository
from tests.api.site import encode, film

STREAMS = Path(__file__).parents[2] / "streams.yaml"


def run(*arguments: object) -> tuple[int, str]:
    answer = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return answer.exit_code, answer.output + str(answer.exception or "")


def test_a_case_goes_from_the_data_folder_to_whoever_checks_it(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data").create()
    data = ("--data", folder.root)
    nowhere = ("--data", tmp_path / "nowhere")
    with Repository.open(folder.database_url) as repository:
        found = film(repository, folder.evidence, encode(tmp_path / "clip.mp4"), 0, Signer.open(folder.keys))
    case, public = tmp_path / f"{found.id}.zip", tmp_path / "public.pem"
    code, told = run("case", found.id, case, "--reason", "request 12", "--config", STREAMS, *data)
    assert code == 0, told
    public.write_text(run("keys", "show", "--pem", *data)[1])
    for arguments in ((case, "--key", public, *nowhere), (case, *data), (folder.evidence, *data)):
        code, told = run("verify", *arguments)
        assert code == 0, told
        assert "signed by the key" in told
    code, told = run("verify", case, "--json", *nowhere)
    checked = json.loads(told)
    assert (code, checked["intact"], checked["checked"][0]["kind"]) == (0, True, "case")
    with Repository.open(folder.database_url) as repository:
        (row,) = repository.audit().items
        assert (row.action, row.object_id, row.detail["reason"]) == ("case.export", str(found.id), "request 12")
    assert run("verify", "--database", "--checkpoint", case, *data)[0] == 0

    (still,) = folder.evidence.glob("*/*/*/still.jpg")
    good = still.read_bytes()
    still.write_bytes(good[:-1] + b"x")
    code, told = run("verify", "--database", "--evidence", folder.evidence, *data)
    assert code == 1
    assert "still.jpg: was changed: its SHA-256 does not fit the manifest" in told
    code, told = run("case", found.id, tmp_path / "other.zip", "--reason", "x", "--config", STREAMS, *data)
    assert code == 1
    assert not (tmp_path / "other.zip").exists()
    still.write_bytes(good)

    code, told = run("keys", "rotate", "--config", STREAMS, *data)
    assert code == 0, told
    assert [line.split()[1] for line in run("keys", "show", *data)[1].splitlines()] == ["signs", "trusted"]
    assert run("verify", case, *data)[0] == 0, "what the old key signed stays trusted"
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(Signer.open(tmp_path / "stranger").public.pem)
    code, told = run("verify", case, "--key", stranger, *nowhere)
    assert code == 1
    assert "not trusted here" in told


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    code, told = run("verify", tmp_path / "none.zip")
    assert code == 1
    code, told = run("verify")
    assert code == 1
    assert "name what to verify" in told
