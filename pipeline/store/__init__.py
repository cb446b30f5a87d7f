"""The database: tables, queries, migrations."""

from pipeline.store.repository import Repository

__all__ = ["Repository"]
