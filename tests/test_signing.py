from __future__ import annotations

import base64
import hashlib
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from pipeline.errors import EvidenceError
from pipeline.signing import PublicKey, Signer, TrustedKeys

ROOT = Path(__file__).parents[1]


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Signer.open(tmp_path / "keys")
    private = tmp_path / "keys" / "signing.pem"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "keys").iterdir() if path.name.startswith(".")] == []
    again = Signer.open(tmp_path / "keys")
    assert again.public == made.public
    assert again.sign(b"x") == made.sign(b"x")
    told = capsys.readouterr()
    secret = private.read_text().splitlines()[1]
    assert secret not in told.out + told.err + repr(made)


@pytest.mark.parametrize("place", range(12))
def test_a_public_key_with_a_changed_byte_is_another_or_none(tmp_path: Path, place: int) -> None:
    key = Signer.open(tmp_path / "keys").public
    first, body, *rest = key.pem.decode().splitlines()
    der = bytearray(base64.b64decode(body))
    der[place] ^= 1  # among them the number of the algorithm
    pem = "\n".join([first, base64.b64encode(der).decode(), *rest, ""]).encode()
    with pytest.raises(EvidenceError, match="case\\.pem: holds no public Ed25519 key in PEM"):
        PublicKey.read(pem, "case.pem")


def test_of_many_processes_that_make_a_key_the_first_wins(tmp_path: Path) -> None:
    code = "import sys, pathlib, pipeline.signing as s; print(s.Signer.open(pathlib.Path(sys.argv[1])).public.id)"
    command = [sys.executable, "-c", code, str(tmp_path / "keys")]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert len({each.communicate()[0].splitlines()[-1] for each in running}) == 1


def test_the_id_is_the_hash_of_the_public_key_in_der(tmp_path: Path) -> None:
    public = Signer.open(tmp_path).public
    (file,) = (tmp_path / "trusted").iterdir()
    assert file.stem == public.id
    assert file.read_bytes() == public.pem
    der = b"".join(public.pem.splitlines()[1:-1])
    assert hashlib.sha256(base64.b64decode(der)).hexdigest() == public.id


def test_signatures_hold_for_what_was_signed_by_whom(tmp_path: Path) -> None:
    own, other = Signer.open(tmp_path / "own"), Signer.open(tmp_path / "other")
    signature = own.sign(b"evidence")
    assert own.trusted.fault(own.public.id, signature, b"evidence") == ""
    for wrong in (own.sign(b"evidence."), other.sign(b"evidence"), "", "zz", signature[:-2]):
        assert "does not bear the signature" in own.trusted.fault(own.public.id, wrong, b"evidence")
    assert "not trusted here" in own.trusted.fault(other.public.id, other.sign(b"evidence"), b"evidence")


def test_a_new_key_takes_over_and_the_old_one_stays_trusted(tmp_path: Path) -> None:
    old = Signer.open(tmp_path)
    signature = old.sign(b"evidence")
    new = Signer.renewed(tmp_path)
    assert new.public.id != old.public.id
    assert Signer.open(tmp_path).public == new.public
    assert {key.id for key in new.trusted} == {old.public.id, new.public.id}
    trusted = TrustedKeys.of(tmp_path)
    assert trusted is not None
    assert trusted.fault(old.public.id, signature, b"evidence") == ""
    assert stat.S_IMODE((tmp_path / "signing.pem").stat().st_mode) == 0o600


def test_what_is_no_key_is_named_with_the_mend(tmp_path: Path) -> None:
    Signer.open(tmp_path)
    private = tmp_path / "signing.pem"
    foreign = generate_private_key(SECP256R1())
    for data in (b"", b"x", foreign.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())):
        private.write_bytes(data)
        with pytest.raises(EvidenceError, match=r"signing\.pem: holds no Ed25519 key.*matthan keys rotate"):
            Signer.open(tmp_path)
    other = foreign.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(EvidenceError, match=r"key\.pem: holds no public Ed25519 key"):
        PublicKey.read(other, "key.pem")
    with pytest.raises(EvidenceError, match="cannot be read"):
        TrustedKeys.read(tmp_path / "none.pem")
    assert TrustedKeys.of(tmp_path / "nowhere") is None
    assert Signer.existing(tmp_path / "nowhere") is None


def test_a_key_that_others_can_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Signer.open(tmp_path)
    (tmp_path / "signing.pem").chmod(0o644)
    Signer.open(tmp_path)
    told = capsys.readouterr()
    assert "chmod 600 mends it" in told.out + told.err
