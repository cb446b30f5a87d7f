"""The database: tables, queries, migrations."""

from pipeline.store.account_records import Role
from pipeline.store.filters import PlateFilter, ViolationFilter
from pipeline.store.repository import Repository

__all__ = ["PlateFilter", "Repository", "Role", "ViolationFilter"]
