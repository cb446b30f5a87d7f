"""The site's signing key (Ed25519, RFC 8032), the public keys it trusts, and signatures by them.

In the folder of keys, `signing.pem` is the private key, for its owner only, and `trusted/` holds the public key of
every key that the site ever signed with, so that what an older key signed stays verifiable. A key is named by the
SHA-256 of its public key in DER (SubjectPublicKeyInfo), as `openssl pkey -pubin -outform DER | sha256sum` gives it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pipeline.errors import EvidenceError

log = structlog.get_logger()

PRIVATE = "signing.pem"
TRUSTED = "trusted"
LARGEST_PEM = 64 * 1024


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: its `id`, and the key as PEM."""

    id: str
    pem: bytes
    _key: Ed25519PublicKey = field(repr=False, compare=False)

    @classmethod
    def of(cls, key: Ed25519PublicKey) -> PublicKey:
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return cls(hashlib.sha256(der).hexdigest(), pem, key)

    @classmethod
    def read(cls, pem: bytes, where: object) -> PublicKey:
        """Raises EvidenceError, which names `where` it stood, when it is no Ed25519 public key."""
        try:
            key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise EvidenceError(f"{where}: holds no public Ed25519 key in PEM")
        return cls.of(key)

    def signed(self, signature: str, data: bytes) -> bool:
        """Whether this key made the signature, given in hexadecimal, of the data."""
        try:
            self._key.verify(bytes.fromhex(signature), data)
        except (InvalidSignature, ValueError):
            return False
        return True


class TrustedKeys:
    """The public keys whose signatures count."""

    def __init__(self, keys: Iterable[PublicKey]) -> None:
        self._keys: Mapping[str, PublicKey] = {key.id: key for key in keys}

    @classmethod
    def read(cls, *files: Path) -> TrustedKeys:
        """Those in these files. Raises EvidenceError for a file that cannot be read or is no key."""
        return cls([PublicKey.read(_bytes(file), file) for file in files])

    @classmethod
    def of(cls, folder: Path) -> TrustedKeys | None:
        """Those of a folder of keys; None when it has none."""
        files = sorted((folder / TRUSTED).glob("*.pem"))
        return cls.read(*files) if files else None

    def __iter__(self) -> Iterator[PublicKey]:
        return iter(self._keys.values())

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def fault(self, key: str, signature: str, data: bytes) -> str:
        """What is wrong with a signature, in hexadecimal, by the key of this id; "" when it holds."""
        if key not in self._keys:
            return f"is signed by the key {key[:16]}…, which is not trusted here"
        if not self._keys[key].signed(signature, data):
            return f"does not bear the signature of the key {key[:16]}…: it was changed, or forged"
        return ""


@dataclass(frozen=True, slots=True)
class Signer:
    """The site's signing key, and all whose signatures it trusts."""

    public: PublicKey
    trusted: TrustedKeys
    _private: Ed25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def open(cls, folder: Path) -> Signer:
        """The key in this folder; made, for its owner only, when there is none.

        Raises:
            EvidenceError: the folder cannot be used, or what is there is no key.
        """
        try:
            if not (folder / PRIVATE).exists():
                _make(folder)
            return cls._load(folder)
        except OSError as error:
            raise _unusable(folder, error) from None

    @classmethod
    def existing(cls, folder: Path) -> Signer | None:
        """The key in this folder, None when there is none. Raises as `open` does."""
        return cls.open(folder) if (folder / PRIVATE).exists() else None

    @classmethod
    def renewed(cls, folder: Path) -> Signer:
        """A new key in place of the one there, whose signatures stay trusted. Programs that run go on with the old
        one until they are started again. Raises as `open` does."""
        try:
            private = Ed25519PrivateKey.generate()
            _trust(folder, PublicKey.of(private.public_key()))
            draft = _draft(folder, private)
            draft.replace(folder / PRIVATE)
            _sync(folder)
            return cls._load(folder)
        except OSError as error:
            raise _unusable(folder, error) from None

    @classmethod
    def _load(cls, folder: Path) -> Signer:
        file = folder / PRIVATE
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            log.warning("the signing key can be read by others; chmod 600 mends it", file=str(file))
        try:
            private = load_pem_private_key(_bytes(file), password=None)
        except (ValueError, TypeError):
            private = None
        if not isinstance(private, Ed25519PrivateKey):
            raise EvidenceError(
                f"{file}: holds no Ed25519 key; put it back from a copy, or make a new one: matthan keys rotate"
            )
        public = PublicKey.of(private.public_key())
        _trust(folder, public)
        trusted = TrustedKeys.of(folder)
        assert trusted is not None  # noqa: S101 - it holds at least its own
        return cls(public, trusted, private)

    def sign(self, data: bytes) -> str:
        """The signature of the data, in hexadecimal. The same data always has the same."""
        return self._private.sign(data).hex()


def _make(folder: Path) -> None:
    """Write a new key in one piece; of two processes that do so at once, the first wins."""
    draft = _draft(folder, Ed25519PrivateKey.generate())
    try:
        os.link(draft, folder / PRIVATE)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    _sync(folder)
    log.info("made a key to sign evidence with; keep a copy of it", file=str(folder / PRIVATE))


def _draft(folder: Path, private: Ed25519PrivateKey) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f".{PRIVATE}.{os.getpid()}.new"
    draft.unlink(missing_ok=True)
    _write(draft, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    return draft


def _trust(folder: Path, key: PublicKey) -> None:
    """Keep a public key among the trusted ones."""
    file = folder / TRUSTED / f"{key.id}.pem"
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    draft = file.with_name(f".{file.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    _write(draft, key.pem, 0o644)
    draft.replace(file)
    _sync(file.parent)


def _write(file: Path, data: bytes, mode: int) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())


def _sync(folder: Path) -> None:
    """Force a folder to the disk, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows does not open folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST_PEM)
    except OSError as error:
        raise EvidenceError(f"{file}: cannot be read: {error.strerror}") from None


def _unusable(folder: Path, error: OSError) -> EvidenceError:
    return EvidenceError(f"{folder}: the signing key cannot be kept here: {error.strerror}; mend the folder's rights")
