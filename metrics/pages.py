"""Pages, timed while their templates are rendered. `metrics.http.instrument` does this of itself."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from metrics import catalogue

if TYPE_CHECKING:
    from flask import Flask
    from jinja2 import Environment, Template

#: The `template` of what is rendered from a string.
INLINE = "__inline__"


def instrument(app: Flask) -> None:
    """Time every rendering of an application's templates, by template, also those that raise.

    A page is what is rendered as a whole: what it includes, imports and extends belongs to it and is not
    timed by itself. What a view streams (`stream_template`) is not timed: it is rendered as fast as it is
    fetched.

    Args:
        app: Templates that it loaded before are not timed.
    """
    if "jinja_env" in vars(app):  # made already
        _time(app.jinja_env)
        return
    create = app.create_jinja_environment

    def create_jinja_environment() -> Any:
        made = create()
        _time(made)
        return made

    # Not made here: Flask lets its options be set until the first use makes it.
    app.create_jinja_environment = create_jinja_environment  # type: ignore[method-assign]


def _time(environment: Environment) -> None:
    environment.template_class = _timed(environment.template_class)


def _timed(templates: type[Template]) -> type[Template]:
    class Timed(templates):  # type: ignore[misc, valid-type]  # the class is known at run time only
        def render(self, *args: Any, **kwargs: Any) -> str:
            begun = perf_counter()
            try:
                return templates.render(self, *args, **kwargs)
            finally:
                catalogue.PAGE_RENDER_DURATION.observe(perf_counter() - begun, template=self.name or INLINE)

    return Timed
