"""Checks the seals on the chain: names entries that were put in past the program, and seals that do not hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select

from pipeline.signing import TrustedKeys
from pipeline.store.chain_records import Head, RowFault
from pipeline.store.chain_tables import ChainEntry
from pipeline.store.seals import Seal

BARE = "bears no seal (of {0.kind} {0.subject}): the entry was put in past the program, or by one without the key"


@dataclass(slots=True)
class _Foreign:
    """Entries under seals of one key that is not trusted."""

    key: str
    first: int
    last: int

    def fault(self) -> RowFault:
        reason = f"{_span(self.first, self.last)} sealed by the key {self.key[:16]}…, which is not trusted here"
        return RowFault("chain", "", "", reason)


class SealCheck:
    """One reading of the seals, from the first entry to the last.

    The first seal, or a head that knows of an earlier one, says from where on every entry must lie under one. Without
    `trusted` keys the seals are believed.
    """

    def __init__(self, connection: Connection, trusted: TrustedKeys | None, heads: Iterable[Head]) -> None:
        self._connection = connection
        self._trusted = trusted
        self._since = min((head.sealed_from for head in heads if head.sealed_from > 0), default=0)
        self._settled = 0
        self._foreign: _Foreign | None = None

    def entry(self, entry: RowMapping) -> Iterator[RowFault]:
        """What is wrong with the seal of the next entry, and with those before it that lie under none."""
        if entry["seal"] is None:
            return
        number, seal = entry["number"], Seal.read(entry["seal"])
        if seal is None or not self._settled < seal.first <= number:
            reason = "is none" if seal is None else f"claims the entries from {seal.first} on, which it cannot cover"
            yield RowFault("chain", str(number), "seal", f"{reason}: it was changed or moved")
            first = number
        else:
            first = seal.first
            yield from self._judge(entry, seal)
        if self._since:
            yield from self._bare(first - 1)
        self._since = min(self._since or first, first)
        self._settled = number

    def end(self, last: int) -> Iterator[RowFault]:
        """What is wrong at the end of the chain, whose last entry has this number."""
        yield from self._strangers()
        if self._since:
            yield from self._bare(last)

    def _judge(self, entry: RowMapping, seal: Seal) -> Iterator[RowFault]:
        number = entry["number"]
        if self._trusted is None:
            return
        if seal.key not in self._trusted:
            if self._foreign is None or (self._foreign.key, self._foreign.last) != (seal.key, seal.first - 1):
                yield from self._strangers()
                self._foreign = _Foreign(seal.key, seal.first, number)
            self._foreign.last = number
        elif reason := seal.fault(number, entry["hash"], self._trusted):
            yield RowFault("chain", str(number), "seal", f"of {_span(seal.first, number, are='')} {reason}")

    def _strangers(self) -> Iterator[RowFault]:
        if self._foreign is not None:
            yield self._foreign.fault()
        self._foreign = None

    def _bare(self, last: int) -> Iterator[RowFault]:
        """The entries up to the `last` that neither a seal covers nor the time before there were any excuses."""
        after = max(self._settled, self._since - 1)
        if after >= last:
            return
        wanted = select(ChainEntry.number, ChainEntry.kind, ChainEntry.subject).order_by(ChainEntry.number)
        for row in self._connection.execute(wanted.where(ChainEntry.number > after, ChainEntry.number <= last)):
            yield RowFault("chain", str(row.number), "seal", BARE.format(row))


def _span(first: int, last: int, are: str = "is are") -> str:
    one, many = are.split() if are else ("", "")
    return f"entry {first} {one}".rstrip() if first == last else f"entries {first} to {last} {many}".rstrip()
