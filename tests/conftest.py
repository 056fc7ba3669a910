from __future__ import annotations

pytest_plugins = ["metrics.pytest_plugin", "tests.databases"]
