"""What the chain tells: its entries, where it stood, and what is wrong with a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """An entry of the chain, as in ChainEntry."""

    number: int
    time: datetime
    kind: str
    subject: str
    content: str | None
    digest: str
    previous: str
    hash: str
    seal: str | None


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain at some moment: the number of its last entry, and its hash. `source` says who tells.

    From the entry `sealed_from` on, every entry lies under a seal; 0 when that is not known.
    """

    number: int
    hash: str
    source: str = ""
    sealed_from: int = 0


@dataclass(frozen=True, slots=True)
class Alteration:
    """That a row was changed past the program: what the entry of that `number` says, which was put on the chain when
    it was `noticed`. `deed` is one of row_check.DEEDS; of a row that was changed, `fields` are those. `table` and
    `deed` are empty where the entry itself was changed."""

    number: int
    noticed: datetime
    table: str = ""
    deed: str = ""
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowFault:
    """One thing wrong with a database: the table, the key of the row, the field, each "" where none is at fault."""

    table: str
    row: str
    field: str
    reason: str

    def __str__(self) -> str:
        where = " ".join(part for part in (self.table, self.row) if part)
        return f"{where}, {self.field}: {self.reason}" if self.field else f"{where}: {self.reason}"
