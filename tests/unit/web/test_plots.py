"""Plots as text: what is drawn, what is said, and what is harmless."""

from __future__ import annotations

import datetime as dt
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from metrics.quantities import Quantity
from webapp import plots
from webapp.plots import Bar, Series, Spread

START = dt.datetime(2026, 11, 26, 8, 0, tzinfo=dt.UTC)
END = START + dt.timedelta(hours=1)
AT = START.timestamp()
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = """</title></svg><script>alert(1)</script>" onload="alert(1)' style='color:red&\x00\x1b"""


def drawn(markup: Markup) -> ET.Element:
    """The drawing's elements: it must be well-formed to be read at all."""
    return ET.fromstring(f"<all>{markup}</all>")  # noqa: S314 - our own text


def of_kind(markup: Markup, kind: str) -> list[ET.Element]:
    return [each for each in drawn(markup).iter() if kind in each.get("class", "").split()]


def words(markup: Markup, tag: str) -> list[str]:
    return ["".join(each.itertext()) for each in drawn(markup).iter(f"{SVG}{tag}")]


def over_time(values: list[float | None], label: str = "all", step: float = 60) -> Series:
    return Series(label=label, points=[(AT + step * number, value) for number, value in enumerate(values)])


def lines(*series: Series, **more: object) -> Markup:
    given: dict[str, object] = {"title": "Requests", "unit": Quantity.COUNT, "start": START, "end": END}
    return plots.lines(series, **{**given, **more})  # type: ignore[arg-type]


def coordinates(path: ET.Element) -> list[tuple[float, float]]:
    pairs = re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d", ""))
    return [(float(x), float(y)) for x, y in pairs]


def test_a_series_is_a_line_from_left_to_right_that_rises_as_its_figures_do() -> None:
    [path] = of_kind(lines(over_time([1, 2, 3, 4])), "plot-line")
    points = coordinates(path)
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)


def test_the_drawing_says_what_it_is_and_what_can_be_seen() -> None:
    plot = lines(over_time([1, 5, 3], "web"))
    assert words(plot, "title")[0] == "Requests"
    [told] = words(plot, "desc")
    assert told == ("26 Nov 2026, 08:00 UTC to 26 Nov 2026, 09:00 UTC. web: 3 last, 1 at least, 5 at most.")
    [svg] = [each for each in drawn(plot).iter(f"{SVG}svg") if each.get("role") == "img"]
    assert svg.get("viewBox") == "0 0 360 170"


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, -math.inf, 1e305])
def test_what_is_no_figure_is_a_gap_and_not_0(nothing: float | None) -> None:
    plot = lines(over_time([3, 3, nothing, 3, 3]))
    assert len(of_kind(plot, "plot-line")) == 2
    assert "3 at least" in words(plot, "desc")[0]


def test_a_long_time_without_points_is_a_gap_where_that_is_asked_for() -> None:
    series = Series(label="all", points=[(AT, 1), (AT + 30, 1), (AT + 900, 1), (AT + 930, 1)])
    assert len(of_kind(lines(series), "plot-line")) == 1
    assert len(of_kind(lines(series, gap=90), "plot-line")) == 2


def test_a_single_point_can_be_seen() -> None:
    assert len(of_kind(lines(over_time([7])), "plot-point")) == 1
    assert len(of_kind(lines(over_time([7, None, 8])), "plot-point")) == 2
    assert len(of_kind(lines(over_time([7]), stacked=True), "plot-line")) == 1


@pytest.mark.parametrize("series", [[], [Series(label="all", points=[])], [over_time([math.nan])]])
@pytest.mark.parametrize("stacked", [True, False])
def test_without_figures_it_says_so(series: list[Series], stacked: bool) -> None:  # noqa: FBT001
    plot = lines(*series, stacked=stacked)
    assert "No figures yet" in words(plot, "text")
    assert "No figures in this time." in words(plot, "desc")[0]


def test_points_outside_the_time_shown_are_left_out() -> None:
    series = Series(label="all", points=[(AT - 60, 9), (AT, 1), (AT + 60, 2), (AT + 7200, 9)])
    [path] = of_kind(lines(series), "plot-line")
    assert len(coordinates(path)) == 2


def test_ten_thousand_points_are_thinned_and_their_peak_stays() -> None:
    values: list[float | None] = [1.0] * 10_000
    values[7_777] = 60.0
    plot = lines(over_time(values, step=0.36))
    [path] = of_kind(plot, "plot-line")
    points = coordinates(path)
    assert len(points) < 800
    assert len(str(plot)) < 20_000
    highest = min(y for _, y in points)
    assert highest < 15
    assert sorted(x for x, _ in points) == [x for x, _ in points]


@pytest.mark.parametrize(
    ("values", "unit", "axis"),
    [
        ([0, 0, 0], Quantity.COUNT, ["0", "1"]),
        ([3, 3, 3], Quantity.COUNT, ["0", "1", "2", "3"]),
        ([0.1, 0.37], Quantity.SECONDS, ["0 s", "100 ms", "200 ms", "300 ms", "400 ms"]),
        ([200.0], Quantity.SECONDS, ["0 s", "1 min", "2 min", "3 min", "4 min"]),
        ([-5, 5], Quantity.COUNT, ["-6", "-3", "0", "3", "6"]),
        ([1e299], Quantity.COUNT, ["0", "2.5e+298", "5.0e+298", "7.5e+298", "1.0e+299"]),
        ([0.993], Quantity.RATIO, ["0 %", "25 %", "50 %", "75 %", "100 %"]),
    ],
)
def test_the_axis_is_marked_at_round_figures(values: list[float], unit: Quantity, axis: list[str]) -> None:
    plot = lines(over_time(list(values)), unit=unit)
    found = [each.text for each in of_kind(plot, "plot-text") if each.get("text-anchor") == "end"]
    assert found == axis


@pytest.mark.parametrize(
    ("span", "zone", "expected"),
    [
        (dt.timedelta(hours=1), "UTC", ["08:00", "08:15", "08:30", "08:45", "09:00"]),
        (dt.timedelta(hours=24), "UTC", ["12:00", "18:00", "00:00", "06:00"]),
        (dt.timedelta(hours=24), "Asia/Kolkata", ["18:00", "00:00", "06:00", "12:00"]),
        (dt.timedelta(days=7), "UTC", ["28 Nov", "30 Nov", "2 Dec"]),
    ],
)
def test_times_are_round_on_the_clock_of_the_zone(span: dt.timedelta, zone: str, expected: list[str]) -> None:
    plot = lines(over_time([1]), end=START + span, zone=ZoneInfo(zone))
    found = [each.text for each in of_kind(plot, "plot-text") if each.get("text-anchor") == "middle"]
    assert found == expected


def test_times_are_round_over_the_end_of_summer_time_too() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = dt.datetime(2026, 10, 23, 0, 0, tzinfo=berlin)
    series = Series(label="all", points=[(start.timestamp() + 60, 1)])
    plot = lines(series, start=start, end=start + dt.timedelta(days=4), zone=berlin)
    found = [each.text for each in of_kind(plot, "plot-text") if each.get("text-anchor") == "middle"]
    assert found == ["23 Oct", "24 Oct", "25 Oct", "26 Oct", "27 Oct"]


def test_series_are_told_apart_without_colour_and_named_in_words() -> None:
    plot = lines(*(over_time([number, number], f"part {number}") for number in range(8)))
    styles = [
        (each.get("class"), each.get("stroke-dasharray"))
        for each in of_kind(plot, "plot-line")
        if each.tag == f"{SVG}path"
    ]
    assert len(set(styles)) == 8
    assert len({dash for _, dash in styles[:6]}) == 6
    legend = ["".join(each.itertext()) for each in drawn(plot).iter("li")]
    assert legend == [f"part {number} {number}" for number in range(8)]


def test_parts_of_a_whole_stand_on_each_other() -> None:
    plot = lines(over_time([1, 1], "a"), over_time([2, 2], "b"), stacked=True)
    first, second = (each for each in of_kind(plot, "plot-line") if each.tag == f"{SVG}path")
    assert coordinates(second)[0][1] < coordinates(first)[0][1]
    assert len(of_kind(plot, "plot-area")) == 2
    assert "b: 2 last" in words(plot, "desc")[0]


def test_a_threshold_is_a_line_with_its_figure() -> None:
    plot = lines(over_time([1, 2]), threshold=10.0, threshold_label="most")
    assert len(of_kind(plot, "plot-threshold")) == 1
    assert "most 10" in words(plot, "text")


def test_bars_are_as_high_as_their_figures_and_stand_on_0() -> None:
    plot = plots.bars(
        [
            Bar(label="a", value=2),
            Bar(label="b", value=4),
            Bar(label="c", value=-4),
            Bar(label="d", value=None),
        ],
        title="Found",
        unit=Quantity.COUNT,
    )
    a, b, c = of_kind(plot, "plot-fill")
    assert float(b.get("height", 0)) == pytest.approx(2 * float(a.get("height", 0)), abs=0.2)
    assert float(c.get("y", 0)) == pytest.approx(float(b.get("y", 0)) + float(b.get("height", 0)), abs=0.2)
    assert words(plot, "desc") == ["a: 2; b: 4; c: -4; d: no figure"]


def test_lying_bars_have_each_its_label_figure_and_note() -> None:
    plot = plots.bars(
        [Bar(label="Saved", value=40), Bar(label="Applied", value=10, note="25 % of those before")],
        title="Funnel",
        unit=Quantity.COUNT,
        horizontal=True,
    )
    saved, applied = of_kind(plot, "plot-fill")
    assert float(applied.get("width", 0)) == pytest.approx(float(saved.get("width", 0)) / 4, abs=0.2)
    assert words(plot, "text") == ["Saved", "40", "Applied", "10, 25 % of those before"]


def test_a_histogram_counts_every_figure_once() -> None:
    values = [0.1, 0.2, 0.2, 3.0, 7.9, math.nan, math.inf]
    plot = plots.histogram(values, title="How long", unit=Quantity.SECONDS)
    counts = [int(each.rpartition(": ")[2]) for each in words(plot, "title")[1:]]
    assert sum(counts) == 5
    given = plots.histogram([-1, 0, 5, 99], title="How long", unit=Quantity.SECONDS, edges=[0, 1, 10])
    assert words(given, "title")[1:] == ["0 s to 1 s: 2", "1 s to 10 s: 2"]


def test_a_spread_shows_median_and_quartiles() -> None:
    plot = plots.boxes(
        [
            Spread(label="Lever", values=[1, 2, 3, 4, 5]),
            Spread(label="Ashby", values=[]),
            Spread(label="x", values=[2]),
        ],
        title="Fetch time",
        unit=Quantity.SECONDS,
    )
    assert words(plot, "desc")[0].startswith(
        "Lever: median 3 s, half from 2 s to 4 s, all from 1 s to 5 s (5); Ashby: no figures; x: median 2 s"
    )
    assert len(of_kind(plot, "plot-median")) == 2


def test_a_spark_says_in_words_what_it_shows() -> None:
    plot = plots.spark([1, 2, None, 4, 3, math.nan, 9], words="Jobs found: 9 last")
    assert words(plot, "title") == ["Jobs found: 9 last"]
    assert len(of_kind(plot, "plot-line")) == 2
    assert len(of_kind(plot, "plot-point")) == 1
    assert plots.spark([], words="Never scanned").count("<path") == 0


def test_the_numbers_of_series_end_with_the_last_time_and_are_few() -> None:
    series = [over_time([float(number) for number in range(600)], "a", 6), over_time([1], "b")]
    table = drawn(plots.table_of(series, title="Requests", unit=Quantity.COUNT))
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    assert rows[0] == ["Time (UTC)", "a", "b"]
    assert len(rows) <= 49
    assert rows[-1] == ["26 Nov, 08:59", "599", "-"]


def test_the_numbers_of_bars_and_spreads_are_a_row_each() -> None:
    bars = plots.table_of([Bar(label="Saved", value=4, note="all")], title="Funnel", unit=Quantity.COUNT)
    assert "".join(drawn(bars).itertext()) == "FunnelOf whatFigureSaved4, all"
    spread = drawn(plots.table_of([Spread(label="x", values=[1, 3])], title="T", unit=Quantity.SECONDS))
    cells = ["".join(each.itertext()) for each in spread.iter("td")]
    assert cells == ["1 s", "1.5 s", "2 s", "2.5 s", "3 s", "2"]
    assert plots.table_of([], title="T", unit=Quantity.COUNT).startswith("<table")


HOSTILE_PLOTS: dict[str, Callable[[], Markup]] = {
    "lines": lambda: lines(
        over_time([1, 2], HOSTILE),
        over_time([1], HOSTILE),
        title=HOSTILE,
        threshold=1.0,
        threshold_label=HOSTILE,
    ),
    "bars": lambda: plots.bars(
        [Bar(label=HOSTILE, value=1, note=HOSTILE, tone=HOSTILE)], title=HOSTILE, unit=Quantity.COUNT
    ),
    "lying": lambda: plots.bars(
        [Bar(label=HOSTILE, value=1, note=HOSTILE)], title=HOSTILE, unit=Quantity.COUNT, horizontal=True
    ),
    "histogram": lambda: plots.histogram([1], title=HOSTILE, unit=Quantity.COUNT),
    "boxes": lambda: plots.boxes([Spread(label=HOSTILE, values=[1])], title=HOSTILE, unit=Quantity.COUNT),
    "spark": lambda: plots.spark([1], words=HOSTILE, tone=HOSTILE),
    "table": lambda: plots.table_of([over_time([1], HOSTILE)], title=HOSTILE, unit=Quantity.COUNT),
}


@pytest.mark.parametrize("kind", HOSTILE_PLOTS)
def test_hostile_words_are_words(kind: str) -> None:
    plot = HOSTILE_PLOTS[kind]()
    for each in drawn(plot).iter():
        assert each.tag.rpartition("}")[2] != "script"
        assert not {name for name in each.attrib if name.startswith("on") or name in {"style", "href"}}
        assert not re.search(r"[^a-z0-9 -]", each.get("class", ""))
    assert "\x00" not in plot


def test_no_plot_has_a_style_of_its_own() -> None:
    for make in HOSTILE_PLOTS.values():
        assert not re.search(r"<[^>]* style=|<style", make().replace(str(Markup.escape(HOSTILE)), ""))


@pytest.mark.parametrize("value", [0.0, -0.0, 1e-300, -1e299, 1e299, 5e-324, -7.0])
def test_any_figure_can_be_drawn_by_everything(value: float) -> None:
    for unit in Quantity:
        for plot in (
            lines(over_time([value, value]), unit=unit),
            lines(over_time([value, 0]), unit=unit, stacked=True),
            plots.bars([Bar(label="a", value=value)], title="T", unit=unit),
            plots.bars([Bar(label="a", value=value)], title="T", unit=unit, horizontal=True),
            plots.histogram([value], title="T", unit=unit),
            plots.boxes([Spread(label="a", values=[value])], title="T", unit=unit),
            plots.spark([value, 0], words="T"),
        ):
            assert "nan" not in plot
            assert "inf" not in plot.replace("figure", "")
            assert len(plot) < 10_000
