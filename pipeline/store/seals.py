"""Seals: signatures, by the site's key, of what each transaction puts on the chain.

The last entry of those that were put on the chain together bears the seal of them all: it names the first and the
last of them, and signs these numbers and the last one's hash. The key lies outside the database, so whoever has SQL
alone can put an entry on the end that fits the chain, but none that lies under a seal; and since a seal names its own
entries, one that comes later does not cover what was put in before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.signing import Signer, TrustedKeys

FORMAT = "matthan-seal/1"
WRITTEN = re.compile(r"([1-9][0-9]{0,18}):([0-9a-f]{64}):([0-9a-f]{128})")


@dataclass(frozen=True, slots=True)
class Seal:
    """The seal on an entry: the first of the entries that it covers, the id of its key, its signature."""

    first: int
    key: str
    signature: str

    @classmethod
    def read(cls, text: str | None) -> Seal | None:
        """The seal that is written so; None where that is none. Each has one way to be written."""
        found = WRITTEN.fullmatch(text or "")
        return cls(int(found[1]), found[2], found[3]) if found else None

    def __str__(self) -> str:
        return f"{self.first}:{self.key}:{self.signature}"

    def fault(self, last: int, entry_hash: str, trusted: TrustedKeys) -> str:
        """What is wrong with it on this entry; "" when one of the trusted keys made it there."""
        return trusted.fault(self.key, self.signature, _signed(self.first, last, entry_hash, self.key))


def made_seal(signer: Signer, first: int, last: int, entry_hash: str) -> Seal:
    """The seal of the entries from `first` to `last`, whose hash this is."""
    key = signer.public.id
    return Seal(first, key, signer.sign(_signed(first, last, entry_hash, key)))


def sealed_from(number: int, entry_hash: str, seal: str | None, trusted: TrustedKeys) -> int:
    """The first of the entries that the seal on this one covers; 0 when it bears none by a trusted key."""
    found = Seal.read(seal)
    return found.first if found and not found.fault(number, entry_hash, trusted) else 0


def _signed(first: int, last: int, entry_hash: str, key: str) -> bytes:
    return "\n".join((FORMAT, str(first), str(last), entry_hash, key)).encode()
