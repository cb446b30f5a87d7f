"""The table of the chain over events and audit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.tables import RowNumber, Table


class ChainEntry(Table):
    """One change of one row: how the row stood after it, tied by hashes to all entries before.

    `kind` is the row's table and `subject` its key. `content` is what chain.content_of made of the row, null once
    retention has erased it; `digest` is its SHA-256. `previous` is the `hash` of the entry before, and `hash` that of
    this one (chain.entry_hash). `seal` stands on the last of the entries that were put in together (seals.py), null
    where no key was at hand. The numbers have no gaps. The database refuses to change a row, but for the erasure of
    its content, and to delete one.
    """

    __tablename__ = "chain"
    __table_args__ = (
        Index(None, "kind", "subject", "number"),
        Index(
            "ix_chain_sealed",
            "number",
            sqlite_where=text("seal IS NOT NULL"),
            postgresql_where=text("seal IS NOT NULL"),
        ),
    )

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=False)
    time: Mapped[datetime]
    kind: Mapped[str]
    subject: Mapped[str]
    content: Mapped[str | None]
    digest: Mapped[str]
    previous: Mapped[str]
    hash: Mapped[str]
    seal: Mapped[str | None]
