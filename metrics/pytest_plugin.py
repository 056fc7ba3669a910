"""The test kit as fixtures of pytest: `pytest_plugins = ["metrics.pytest_plugin"]` in a `conftest.py`.

Every test is strict from then on: one in which something is emitted wrongly (unknown labels, a value that is
no number) fails, whether it looks at metrics or not. A test that does so on purpose says
`@pytest.mark.emits_wrongly`, and finds what was refused in `emitted.mistakes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metrics import losses
from metrics.testing import captured, settle, strictly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metrics.testing import Captured

_MARKER = "emits_wrongly"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", f"{_MARKER}: emits metrics wrongly on purpose; the test is not failed")


@pytest.fixture
def emitted(request: pytest.FixtureRequest) -> Iterator[Captured]:
    """What the test emits, from where the fixture is asked for."""
    with captured(strict=not _on_purpose(request)) as found:
        yield found


@pytest.fixture(autouse=True)
def _emitted_rightly(request: pytest.FixtureRequest) -> Iterator[None]:
    earlier = "; ".join(losses.MISTAKES)  # by fixtures of a wider scope, or while modules were imported
    losses.MISTAKES.clear()
    assert not earlier, f"Emitted wrongly before the test: {earlier}"  # noqa: S101 - pytest shows it
    if _on_purpose(request):
        yield
        settle()
        losses.MISTAKES.clear()
    else:
        with strictly():
            yield


def _on_purpose(request: pytest.FixtureRequest) -> bool:
    return request.node.get_closest_marker(_MARKER) is not None
