"""Plots of every kind in a real browser, with the sheets of the pages: nothing is cut off or illegible."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import pytest
from markupsafe import Markup

from metrics.quantities import Quantity
from scout.settings import PROJECT
from tests.e2e.pages import LOOKS, SHOTS, faults, picture
from webapp import plots

if TYPE_CHECKING:
    from playwright.sync_api import Browser

END = dt.datetime(2026, 11, 26, 10, 7, tzinfo=dt.UTC)
START = END - dt.timedelta(hours=6)
#: Where a text of a drawing reaches past the drawing, or over another one.
_CUT_OFF = """
() => [...document.querySelectorAll("svg[role=img]")].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter((text) => {
    const at = text.getBoundingClientRect();
    return at.left < frame.left - 1 || at.right > frame.right + 1 || at.bottom > frame.bottom + 1;
  }).map((text) => `${svg.querySelector("title").textContent}: ${text.textContent}`);
})
"""


def every_kind() -> list[Markup]:
    times = [START.timestamp() + 60 * number for number in range(360)]
    series = [
        plots.Series(label=f"part {part}", points=[(at, 1 + part + math.sin(at / 900)) for at in times])
        for part in range(3)
    ]
    stages = [
        plots.Bar(label=label, value=value, note=note)
        for label, value, note in (
            ("Saved", 1200, ""),
            ("Applied", 40, "3.3 % of those before"),
            ("A stage with a name that is far too long to be shown", 0, ""),
        )
    ]
    days = [plots.Bar(label=f"{day} Nov", value=day * 7 % 11) for day in range(1, 31)]
    spreads = [
        plots.Spread(label="Greenhouse", values=[1, 2, 3, 9]),
        plots.Spread(label="Lever", values=[2.5]),
        plots.Spread(label="Never", values=[]),
    ]
    count, seconds = Quantity.COUNT, Quantity.SECONDS
    return [
        plots.lines(series, title="Lines", unit=seconds, start=START, end=END, threshold=5.5),
        plots.lines(series, title="Areas", unit=Quantity.PER_SECOND, start=START, end=END, stacked=True),
        plots.lines([], title="Nothing", unit=Quantity.BYTES, start=START, end=END),
        plots.bars(stages, title="Funnel", unit=count, horizontal=True),
        plots.bars(days, title="Days", unit=count),
        plots.histogram([1, 2, 2, 3, 40], title="Sizes", unit=count),
        plots.boxes(spreads, title="Spreads", unit=seconds),
        plots.table_of(stages, title="Stages", unit=count),
        plots.spark([1, 5, None, 3, 8], words="Found: 8 last"),
    ]


@pytest.mark.parametrize("look", LOOKS)
def test_plots_of_every_kind_are_legible(chromium: Browser, look: str) -> None:
    static = PROJECT / "webapp" / "static"
    sheets = "".join((static / name).read_text(encoding="utf-8") for name in ("app.css", "plots.css"))
    drawn = "".join(f'<div class="panel">{each}</div>' for each in every_kind())
    browser = chromium.new_context(**LOOKS[look])
    page = browser.new_page()
    page.set_content(
        f'<!doctype html><html lang="en"><head><title>Plots</title><style>{sheets}</style></head>'
        f"<body><main><h1>Plots</h1>{drawn}</main></body></html>"
    )
    SHOTS.mkdir(parents=True, exist_ok=True)
    picture(page, f"{look}-plots")
    # Nothing loads here, so that the browser tells of no paint.
    found = [each for each in faults(page) if each != "nothing was painted"]
    assert found == []
    assert page.evaluate(_CUT_OFF) == []
    browser.close()
