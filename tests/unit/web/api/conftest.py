from __future__ import annotations

import pytest
from flask import Flask

from scout.database import Database
from tests.unit.web.api.program import Program, make_token


@pytest.fixture
def program(app: Flask, db: Database) -> Program:
    """A program whose token may do everything."""
    return Program(app, make_token(db))
