"""What nobody thought of: requests made from the API's own description, good and bad.

They are sent to a filled database.

Every answer must be one that the description names, to its content type and its schema; none may be a fault,
and none may be given to who has no token. The cases are the same each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from scout import discovery, searches, trial
from scout.database import Database
from scout.models import Status
from scout.searches import Wish
from scout.sources.board import Board
from tests.unit.web.api.program import make_token

#: Requests of each kind to each operation.
EXAMPLES = 4

CONFIG = """
[checks]
# What a schema cannot say is refused in words: an address of no board, a version of before.
negative_data_rejection.expected-statuses = ["400", "403", "404", "405", "409", "412", "413", "415", "422"]
positive_data_acceptance.expected-statuses = ["2xx", "3xx", "400", "404", "409", "412", "413", "422"]
"""


@pytest.fixture
def filled(db: Database, add_job: Callable[..., int]) -> None:
    """A few jobs in all states, a note and a search. Numbers begin at 1, as the generated ones like to."""
    for status in Status:
        add_job(status=status, salary=None)
    with db.session() as session:
        searches.add(session, Wish(name="x", query={"text": "identity"}), ())


@pytest.fixture
def nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request leaves for an address that was made up."""

    def look(_: str, __: object) -> discovery.Look:
        return discovery.Look("https://example.com/")

    def seen(_: Database, __: object, board: Board, ___: object) -> trial.Trial:
        return trial.Trial(board=board, kind=board.kind)

    monkeypatch.setattr(discovery, "look", look)
    monkeypatch.setattr(trial, "look", seen)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.usefixtures("filled", "nobody_is_asked")
def test_no_request_gets_an_answer_that_is_not_described(
    app: Flask, db: Database, mode: GenerationMode
) -> None:
    token = {"Authorization": f"Bearer {make_token(db)}"}
    described = schemathesis.openapi.from_wsgi(
        "/api/v1/openapi.json", app, headers=token, config=SchemathesisConfig.from_str(CONFIG)
    )
    found: list[str] = []
    asked = 0
    for result in described.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            case.call_and_validate(headers=token)

        try:
            ask()
        except Unsatisfiable:
            continue  # nothing about the operation can be wrong
        except (FailureGroup, Failure) as error:
            found.append(f"{operation.label}: {str(error)[:1500]}")
    assert found == [], "\n\n".join(found)
    assert asked > 150
