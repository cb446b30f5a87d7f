"""Packages that are signed: by whom they are believed, and what is never taken for evidence."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from pipeline.evidence import verify_package
from pipeline.evidence.manifest import canonical, sealed
from pipeline.evidence.recovery import mark_unfinished, recover
from pipeline.signing import Signer

from ..servers.clips import make_clip
from .makers import play
from .test_recorder import FOLDER, recorder


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer.open(tmp_path / "keys")


def recorded(root: Path, signer: Signer | None, clip: Path) -> Path:
    play(clip, recorder(root, signer=signer))
    return root / FOLDER


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", frames=125, gop=25)


def faults(package: Path, signer: Signer) -> list[str]:
    return [str(fault) for fault in verify_package(package, trusted=signer.trusted)]


def sealed_anew(package: Path, signer: Signer | None, **changes: object) -> None:
    manifest = package / "manifest.json"
    manifest.write_bytes(sealed({**json.loads(manifest.read_bytes()), **changes}, signer))


def digested(fields: dict[str, object]) -> bytes:
    """A manifest with a digest that fits, as anybody can make one."""
    body = {name: value for name, value in fields.items() if name != "digest"}
    return canonical({**body, "digest": hashlib.sha256(canonical(body)).hexdigest()})


def test_a_package_bears_the_signature_of_the_site(tmp_path: Path, signer: Signer, clip: Path) -> None:
    package = recorded(tmp_path / "evidence", signer, clip)
    fields = json.loads((package / "manifest.json").read_bytes())
    assert (fields["format"], fields["key"]) == ("matthan-evidence/2", signer.public.id)
    assert faults(package, signer) == []
    assert verify_package(package) == []
    again = recorded(tmp_path / "again", signer, clip)
    assert (again / "manifest.json").read_bytes() == (package / "manifest.json").read_bytes()


def test_a_package_that_others_made_or_changed_is_named(tmp_path: Path, signer: Signer, clip: Path) -> None:
    package = recorded(tmp_path / "evidence", signer, clip)
    forger = Signer.open(tmp_path / "forger")
    good = (package / "manifest.json").read_bytes()
    sealed_anew(package, forger, plate="75-F1 999.99")
    (fault,) = faults(package, signer)
    assert f"is signed by the key {forger.public.id[:16]}…, which is not trusted here" in fault
    assert verify_package(package) == [], "without a key, nobody can tell"
    fields = json.loads(good)
    stolen = {name: fields[name] for name in ("format", "key", "signature")}
    sealed_anew(package, None, plate="75-F1 999.99")
    assert "is not signed" in faults(package, signer)[0]
    body = {**fields, "plate": "75-F1 999.99", **stolen}
    (package / "manifest.json").write_bytes(digested(body))
    assert "does not bear the signature" in faults(package, signer)[0]
    (package / "manifest.json").write_bytes(digested({**fields, "format": "matthan-evidence/1"}))
    assert "holds the unknown field key" in faults(package, signer)[0]


def test_an_older_one_is_vouched_for_by_the_database_alone(tmp_path: Path, signer: Signer, clip: Path) -> None:
    package = recorded(tmp_path / "evidence", None, clip)
    assert "is not signed; the database alone can vouch for it" in faults(package, signer)[0]
    manifest = (package / "manifest.json").read_bytes()
    assert verify_package(package, hashlib.sha256(manifest).hexdigest(), signer.trusted) == []


def test_a_forged_package_that_was_there_first_is_replaced(tmp_path: Path, signer: Signer, clip: Path) -> None:
    for number, maker in enumerate((None, Signer.open(tmp_path / "forger"))):
        forged = recorded(tmp_path / "forged" / str(number), maker, clip)
        sealed_anew(forged, maker, note="nobody was there")
        root = tmp_path / "evidence" / str(number)
        shutil.copytree(forged, root / FOLDER)
        package = recorded(root, signer, clip)
        assert faults(package, signer) == []
        assert json.loads((package / "manifest.json").read_bytes())["note"] != "nobody was there"


def test_what_a_kill_left_behind_counts_only_if_the_site_signed_it(tmp_path: Path, signer: Signer, clip: Path) -> None:
    root = tmp_path / "evidence"
    package = recorded(root, signer, clip)
    sealed_anew(package, signer, complete=False)
    mark_unfinished(root, FOLDER)
    (evidence,) = recover(root, "gate", signer=signer)
    assert evidence.complete
    assert faults(package, signer) == []
    for maker in (None, Signer.open(tmp_path / "forger")):
        for complete in (True, False):
            sealed_anew(package, maker, complete=complete)
            mark_unfinished(root, FOLDER)
            before = (package / "manifest.json").read_bytes()
            assert list(recover(root, "gate", signer=signer)) == []
            assert (package / "manifest.json").read_bytes() == before, "it is not signed on the way"


def test_after_a_rotation_older_packages_are_taken_up_still(tmp_path: Path, signer: Signer, clip: Path) -> None:
    root = tmp_path / "evidence"
    package = recorded(root, signer, clip)
    new = Signer.renewed(tmp_path / "keys")
    assert faults(package, new) == []
    mark_unfinished(root, FOLDER)
    assert [evidence.complete for evidence in recover(root, "gate", signer=new)] == [True]
