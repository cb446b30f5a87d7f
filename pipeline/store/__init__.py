"""The database: tables, queries, migrations."""

from pipeline.access import Role
from pipeline.store.filters import PlateFilter, ViolationFilter
from pipeline.store.repository import Repository

__all__ = ["PlateFilter", "Repository", "Role", "ViolationFilter"]
