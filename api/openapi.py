"""What the OpenAPI document says beyond what the routes say themselves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from api.auth.access import ACCESS
from api.problems import Problem, answers


def describe(app: FastAPI) -> None:
    """Add the bearer scheme, the roles of each operation, and the shape of problems."""
    generate = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = generate()
            components = found.setdefault("components", {})
            _, schemas = models_json_schema([(Problem, "serialization")], ref_template="#/components/schemas/{model}")
            components.setdefault("schemas", {}).update(schemas["$defs"])
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            for path, operations in found["paths"].items():
                for method, operation in operations.items():
                    _add_access(operation, ACCESS[method.upper(), path])
                    if "requestBody" in operation:  # it may be no JSON at all, or too long
                        operation["responses"] |= {str(status): told for status, told in answers(400, 413).items()}
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def _add_access(operation: dict[str, Any], roles: frozenset[Any] | None) -> None:
    if roles is None:
        return
    operation["security"] = [{"token": []}]
    names = ", ".join(sorted(roles))
    operation["description"] = f"{operation.get('description', '')}\n\nRoles: {names}.".strip()
