"""The OpenAPI document: true examples, and no input that makes the server fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import account_schemas, plate_schemas, problems, queries, schemas
from api.auth.access import ACCESS
from api.routes import sessions, users
from pipeline.access import AccessPolicy
from pipeline.store import Repository, Role
from tests.servers.postgres import new_database

from .conftest import serving
from .pages import MOST_RIGHTS_LAST
from .site import PASSWORD, build

EXAMPLES = 4
LONGEST_ADDRESS = 65_535
"""Longer ones are refused before the API hears of them."""

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODULES = (account_schemas, plate_schemas, problems, queries, schemas, sessions, users)
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


PUBLIC = {"/api/v1/session", "/api/v1/signing-keys"}


def test_each_operation_says_who_may_and_how_it_fails(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["components"]["schemas"]["Problem"]["examples"][0]["status"] == 422
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith("/api/v1") and path not in PUBLIC:
                assert operation["security"] == [{"token": []}], path
                assert "Roles: " in operation["description"]
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """A server to be asked anything, and what its addresses may really name."""

    address: str
    known: Mapping[str, str]

    def headers(self, role: Role) -> dict[str, str]:
        entered = httpx.post(f"{self.address}/api/v1/session", json={"name": role.value, "password": PASSWORD})
        return {"Authorization": f"Bearer {entered.json()['token']}"}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fuzzed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """A server over each kind of database."""
    folder = tmp_path_factory.mktemp(request.param)
    url = f"sqlite:///{folder / 'matthan.db'}"
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgres"))
    site = build(folder, url, count=1)
    with Repository.open(url) as repository:
        victim = repository.create_user("victim", "", Role.VIEWER, must_change_password=True)
        known = {
            "violation_id": str(site.violations[0].id),
            "plate_id": str(repository.plate_reads().items[0].id),
            "camera_id": site.violations[0].camera,
            "user_id": str(victim.id),
            "name": "overlay.jpg",
        }
    patient = site.settings.model_copy(
        update={"access": AccessPolicy(sign_ins_per_minute=100_000, searches_per_minute=100_000)}
    )
    with serving(patient) as address:
        yield Fuzzed(address, known)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_input_makes_the_server_fail(fuzzed: Fuzzed, mode: GenerationMode) -> None:
    """Fitting and unfitting requests to every operation, from somebody who may use it; each answer is one that the
    document announces."""
    document = schemathesis.openapi.from_url(f"{fuzzed.address}/api/v1/openapi.json")
    operations = [found.ok() for found in document.get_all_operations()]
    assert len(operations) > 15
    headers = {role: fuzzed.headers(role) for role in Role}
    for operation in operations:
        takes_input = bool(list(operation.iter_parameters()) or operation.body)
        signs_this_test_out = (operation.method, operation.path) == ("delete", "/api/v1/session")
        if not signs_this_test_out and (takes_input or mode is GenerationMode.POSITIVE):
            allowed = ACCESS[operation.method.upper(), operation.path] or frozenset(Role)
            fuzz(operation, mode, headers[max(allowed, key=MOST_RIGHTS_LAST.index)], fuzzed.known)


def fuzz(operation: APIOperation, mode: GenerationMode, headers: dict[str, str], known: Mapping[str, str]) -> None:
    """Asks about what there is as often as about what there is not."""

    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Case, real: bool) -> None:
        if real:
            case.path_parameters |= {name: value for name, value in known.items() if name in case.path_parameters}
        answer = case.call(headers=headers)
        if answer.content == b"Invalid HTTP request received." and len(str(answer.request.url)) > LONGEST_ADDRESS:
            return
        case.validate_response(answer, checks=CHECKS)

    ask()
