from __future__ import annotations

from tests.unit.web.api.program import Program


def test_how_everything_is_is_told(program: Program) -> None:
    told = program.get("/status").get_json()
    assert told["verdict"] in {"ok", "warning", "bad"}
    assert {"Database", "Redis"} <= {each["part"] for each in told["checks"]}
    assert told["sums"]["boards"] == 0
