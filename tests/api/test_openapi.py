"""The OpenAPI document: true examples, and no input that makes the server fail."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from pydantic import BaseModel, TypeAdapter
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import plate_schemas, problems, queries, schemas
from api.routes import sessions, users
from tests.servers.postgres import new_database

from .conftest import serving
from .site import PASSWORD, build

EXAMPLES = 6
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODULES = (plate_schemas, problems, queries, schemas, sessions, users)
MODELS = sorted(
    {
        model
        for module in MODULES
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__
    },
    key=lambda model: model.__name__,
)


def test_every_field_that_is_answered_has_a_true_example() -> None:
    checked = 0
    for model in MODELS:
        for field in model.model_fields.values():
            adapter = TypeAdapter(field.annotation)
            for example in field.examples or []:
                adapter.validate_python(example)
                checked += 1
    assert checked > 80


def test_each_operation_says_who_may_and_how_it_fails(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["components"]["schemas"]["Problem"]["examples"][0]["status"] == 422
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith("/api/v1") and path != "/api/v1/session":
                assert operation["security"] == [{"token": []}], path
                assert "Roles: " in operation["description"]
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fuzzed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server over each kind of database."""
    folder = tmp_path_factory.mktemp(request.param)
    url = f"sqlite:///{folder / 'matthan.db'}"
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgres"))
    patient = build(folder, url, count=1).settings.model_copy(update={"logins_per_minute": 100_000})
    with serving(patient) as address:
        yield address


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_input_makes_the_server_fail(fuzzed: str, mode: GenerationMode) -> None:
    """Fitting and unfitting requests to every operation; each answer is one that the document announces."""
    entered = httpx.post(f"{fuzzed}/api/v1/session", json={"name": "admin", "password": PASSWORD})
    headers = {"Authorization": f"Bearer {entered.json()['token']}"}
    operations = [
        found.ok() for found in schemathesis.openapi.from_url(f"{fuzzed}/api/v1/openapi.json").get_all_operations()
    ]
    assert len(operations) > 15
    for operation in operations:
        takes_input = bool(list(operation.iter_parameters()) or operation.body)
        signs_this_test_out = (operation.method, operation.path) == ("delete", "/api/v1/session")
        if not signs_this_test_out and (takes_input or mode is GenerationMode.POSITIVE):
            fuzz(operation, mode, headers)


def fuzz(operation: APIOperation, mode: GenerationMode, headers: dict[str, str]) -> None:
    @given(operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Case) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()
