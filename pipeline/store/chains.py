"""The chain as the rest of the program asks for it: where it stands, what it holds of a case, whether all fits it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Connection, select, tuple_

from pipeline.signing import TrustedKeys
from pipeline.store import alterations
from pipeline.store.chain import ALTERATIONS
from pipeline.store.chain_check import check_chain, head_of
from pipeline.store.chain_records import Alteration, ChainRecord, Head, RowFault
from pipeline.store.chain_tables import ChainEntry
from pipeline.store.database import Database, explained
from pipeline.store.review_tables import ReviewAction
from pipeline.store.seals import Seal
from pipeline.store.tables import Evidence, EvidenceFile, Violation

ABOUT_VIOLATION = ("violations", "evidence", "reviews", "legal_holds", "removals")


class ChainQueries(Database):
    def chain_head(self, trusted: TrustedKeys | None = None) -> Head:
        """The end of the chain; number 0 when it has no entry. That entries are sealed it tells by a seal of a
        trusted key."""
        with self.reading() as connection:
            return head_of(connection, trusted)

    def chain_sealed_from(self) -> int:
        """The number of the first entry that lies under a seal, as that claims; 0 when none does."""
        with self._unchanging() as connection:
            seals = select(ChainEntry.seal).where(ChainEntry.seal.is_not(None)).order_by(ChainEntry.number).limit(1)
            seal = Seal.read(connection.execute(seals).scalar())
            return seal.first if seal else 0

    def case_chain(self, violation: UUID) -> tuple[ChainRecord, ...]:
        """All entries about a case: its violation, evidence, review and every step of it, its plate, camera and run,
        and about what of these was altered past the program."""
        with self.reading() as connection:
            own = select(Violation.camera, Violation.run, Violation.plate_read).where(Violation.id == violation)
            camera, run, read = connection.execute(own).one_or_none() or (None, None, None)
            steps = connection.execute(select(ReviewAction.id).where(ReviewAction.violation == violation)).scalars()
            about = [(kind, str(violation)) for kind in ABOUT_VIOLATION]
            about += [("review_actions", str(step)) for step in steps]
            others = [
                (kind, str(key)) for kind, key in (("cameras", camera), ("runs", run), ("plate_reads", read)) if key
            ]
            about += others + [(ALTERATIONS, key) for _, key in (("violations", str(violation)), *others)]
            statement = select(ChainEntry.__table__).where(tuple_(ChainEntry.kind, ChainEntry.subject).in_(about))
            rows = connection.execute(statement.order_by(ChainEntry.number)).mappings()
            return tuple(ChainRecord(**row) for row in rows)

    def alterations(self, violation: UUID, read: UUID | None) -> tuple[Alteration, ...]:
        """Which rows of a case were changed past the program, as it noticed since, oldest first: violation, evidence,
        review, legal hold, removal, and its plate `read`."""
        with self.reading() as connection:
            return alterations.of_case(connection, violation, read)

    def check_chain(self, heads: Iterable[Head] = (), trusted: TrustedKeys | None = None) -> Iterator[RowFault]:
        """As chain_check.check_chain, over one state of the database, whoever writes meanwhile. Raises StoreError."""
        with self._unchanging() as connection:
            yield from check_chain(connection, heads, trusted)

    def recorded_manifests(self) -> Iterator[tuple[UUID, str, str]]:
        """Violation, folder and manifest's SHA-256 of every package that is recorded, in no order that matters."""
        statement = (
            select(Evidence.violation, Evidence.folder, EvidenceFile.sha256)
            .join(EvidenceFile, EvidenceFile.violation == Evidence.violation)
            .where(EvidenceFile.role == "manifest")
        )
        with self._unchanging() as connection:
            for row in connection.execution_options(yield_per=500).execute(statement):
                yield row.violation, row.folder, row.sha256

    @contextmanager
    def _unchanging(self) -> Iterator[Connection]:
        engine = self.engine
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with explained(self.engine.url), engine.connect() as connection:
            yield connection
