"""Plots, drawn on the server as SVG: no script, no inline style, readable by a screen reader and on paper.

Shapes carry classes, and `static/plots.css` gives those their colours; a page that shows a plot links that
sheet. Besides its colour, each series has a dash pattern of its own. Each plot says in its `<title>` what it
is and in its `<desc>` what can be seen; `table_of` gives the numbers behind it, for a `<details>` beside it.

A figure that is none (None, NaN, infinite) is a gap, and is never drawn as 0.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from metrics.quantities import Quantity, said

#: The size in which text is as large as on the page around it. The page scales it with the column it is in.
WIDTH, HEIGHT = 360, 170
#: The classes that a shape may have for its colour, in the order in which series take them.
TONES = ("accent", "cool", "warn", "bad", "good", "soft")

_DASHES = ("", "6 3", "2 2.5", "9 3 2 3", "1 3", "12 4")
#: A figure past this cannot be reckoned with; it is a gap.
_MOST = 1e300
#: Figures nearer to each other than this are the same.
_LEAST = 1e-9
_LETTER = 6.2  # about the width of a letter of the plot's text
_TOP, _RIGHT, _BOTTOM = 10.0, 10.0, 22.0
_TICKS = 4
_MOST_ROWS = 48
_ROW = 26.0
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TIME_STEPS = (
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 7, 14, 28, 91, 182, 365)),
)
#: Where across a drawing something is.
_Across = Callable[[float], float]
#: The steps of an axis of times that took: what a clock has.
_SECONDS_STEPS = (1, 2, 5, 10, 15, 30, *_TIME_STEPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Figures over time.

    Attributes:
        label: What they are, in a word or two.
        points: Unix time and figure, in order of time; None, NaN and infinity are gaps.
        tone: One of TONES; unset, the next in their order.
    """

    label: str
    points: Sequence[tuple[float, float | None]]
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One figure of several that stand beside each other.

    Attributes:
        label: What it is of.
        value: The figure; None, NaN and infinity draw nothing.
        tone: One of TONES.
        note: What is said after the figure, such as `40 % of those before`.
    """

    label: str
    value: float | None
    tone: str = "accent"
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Figures whose spread is shown: median, quartiles, least and most.

    Attributes:
        label: What they are of.
        values: All of them, in any order.
    """

    label: str
    values: Sequence[float]


# --- What is drawn ------------------------------------------------------------------------------------------


def lines(
    series: Sequence[Series],
    *,
    title: str,
    unit: Quantity,
    start: dt.datetime,
    end: dt.datetime,
    stacked: bool = False,
    threshold: float | None = None,
    threshold_label: str = "limit",
    gap: float | None = None,
    zone: dt.tzinfo = dt.UTC,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Markup:
    """Series over time, with a legend in words.

    Args:
        series: What to draw.
        title: What it shows, as a heading would say it.
        unit: What the figures count.
        start: The time at the left edge, with its zone.
        end: The time at the right edge.
        stacked: Whether they are parts of a whole, and stand on each other as areas. The parts at one time
            must carry the same time.
        threshold: A figure to draw a line at.
        threshold_label: What that line is.
        gap: Seconds between two points after which the line is broken; unset, only where there is no figure.
        zone: The time zone of the times written.
        width: Of the drawing, in the units of its text: 11 of them are a line of text.
        height: Likewise.

    Returns:
        A `<figure>` with the title as its caption, the drawing and the legend.
    """
    first, last = start.timestamp(), max(end.timestamp(), start.timestamp() + 1)
    known = [[(x, y) for x, y in _known(each.points) if first <= x <= last] for each in series]
    drawn = _stacked(known) if stacked else known
    values = [y for points in drawn for _, y in points]
    scale = _Scale.over([*values, *([threshold] if threshold is not None else [])], unit)
    frame = _Frame.around(scale, unit, width, height)

    def across(x: float) -> float:
        return frame.left + (x - first) / (last - first) * frame.across

    shapes = [*_value_axis(frame, scale, unit), *_time_axis(frame, first, last, zone)]
    styles = [_Style.of(number, each.tone) for number, each in enumerate(series)]
    if stacked:
        shapes += _areas(frame, scale, drawn, styles, across)
    else:
        for points, each, style in zip(known, series, styles, strict=True):
            runs = _runs(_holes(each.points, points, gap))
            shapes += _line(frame, scale, runs, style, across)
    if threshold is not None and math.isfinite(threshold):
        shapes.append(_threshold(frame, scale, threshold, f"{threshold_label} {said(threshold, unit)}"))
    if not values:
        shapes.append(_nothing(frame))
    seen = _summary(series, unit) if values else "No figures in this time."
    told = f"{_moment(first, zone)} to {_moment(last, zone)}. {seen}"
    legend = _legend(series, styles, unit) if len(series) > 1 else ""
    return _figure(title, _svg(title, told, shapes, width=width, height=height), legend)


def bars(
    items: Sequence[Bar],
    *,
    title: str,
    unit: Quantity,
    horizontal: bool = False,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Markup:
    """Figures beside each other, or below each other for funnels and rankings, each with its number.

    Args:
        items: What to draw, in order.
        title: What it shows.
        unit: What the figures count.
        horizontal: One below the other, each on a line of its own; the height follows from how many.
        width: Of the drawing.
        height: Likewise, of upright ones.
    """
    told = "; ".join(f"{each.label}: {_told_bar(each, unit)}" for each in items) or "No figures yet."
    if horizontal:
        shapes, height = _lying(items, unit, width)
    else:
        shapes = _standing(items, unit, width, height)
    return _figure(title, _svg(title, told, shapes, width=width, height=height))


def histogram(
    values: Sequence[float],
    *,
    title: str,
    unit: Quantity,
    edges: Sequence[float] = (),
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Markup:
    """How often figures of each size came.

    Args:
        values: The figures; what is no finite number is left out.
        title: What it shows.
        unit: What the figures count.
        edges: Where one bin ends and the next begins, rising; unset, about eight of even, round width.
            Figures beyond the first and last edge are in the bin next to it.
        width: Of the drawing.
        height: Likewise.
    """
    bins = _bins(values, unit, edges)
    counts = [count for _, _, count in bins]
    scale = _Scale.over([float(count) for count in counts], Quantity.COUNT)
    frame = _Frame.around(scale, Quantity.COUNT, width, height)
    shapes = [*_value_axis(frame, scale, Quantity.COUNT)]
    step = frame.across / max(len(bins), 1)
    every = math.ceil((len(bins) + 1) / max(1, int(frame.across / (_LETTER * 8))))
    for number, (low, high, count) in enumerate(bins):
        x = frame.left + number * step
        top = frame.down(count, scale)
        words = f"{said(low, unit)} to {said(high, unit)}: {count}"
        shapes.append(
            _element(
                "rect",
                _element("title", words),
                class_="plot-fill tone-accent",
                x=_short(x + 0.5),
                y=_short(top),
                width=_short(max(step - 1, 1)),
                height=_short(frame.bottom - top),
            )
        )
        if number % every == 0:
            shapes.append(_text(x, frame.bottom + 15, said(low, unit), "middle" if number else "start"))
    if bins and len(bins) % every == 0:
        shapes.append(_text(frame.right, frame.bottom + 15, said(bins[-1][1], unit), "end"))
    if not bins:
        shapes.append(_nothing(frame))
    told = "; ".join(
        f"{said(low, unit)} to {said(high, unit)}: {count}" for low, high, count in bins if count
    )
    return _figure(title, _svg(title, told or "No figures yet.", shapes, width=width, height=height))


def boxes(items: Sequence[Spread], *, title: str, unit: Quantity, width: int = WIDTH) -> Markup:
    """The spread of figures, a line each: a box from quartile to quartile, the median in it, least and most.

    Args:
        items: What to draw, in order.
        title: What it shows.
        unit: What the figures count.
        width: Of the drawing; the height follows from how many there are.
    """
    known = [sorted(value for value in each.values if _is_figure(value)) for each in items]
    scale = _Scale.over([value for values in known for value in values], unit)
    left = _label_room([each.label for each in items], width)
    right = width - _RIGHT - _LETTER * 2
    height = int(_ROW * max(len(items), 1) + _BOTTOM + 4)
    shapes: list[Markup] = []

    def across(value: float) -> float:
        return left + (value - scale.low) / (scale.high - scale.low) * (right - left)

    bottom = height - _BOTTOM
    for tick in scale.ticks:
        x = across(tick)
        shapes.append(_rule(x, 4, x, bottom, "plot-grid"))
        shapes.append(_text(x, bottom + 15, said(tick, unit), "middle"))
    told: list[str] = []
    for number, (each, values) in enumerate(zip(items, known, strict=True)):
        middle = 4 + _ROW * (number + 0.5)
        shapes.append(_label(each.label, left, middle))
        if not values:
            shapes.append(_text(left + 4, middle + 4, "no figures"))
            told.append(f"{each.label}: no figures")
            continue
        low, median, high = _quartiles(values)
        words = (
            f"{each.label}: median {said(median, unit)}, half from {said(low, unit)} to {said(high, unit)}, "
            f"all from {said(values[0], unit)} to {said(values[-1], unit)} ({len(values)})"
        )
        told.append(words)
        shapes.append(
            _element(
                "g",
                _element("title", words),
                _rule(across(values[0]), middle, across(values[-1]), middle, "plot-whisker"),
                _element(
                    "rect",
                    class_="plot-fill tone-accent",
                    x=_short(across(low)),
                    y=_short(middle - 7),
                    width=_short(max(across(high) - across(low), 1.5)),
                    height=14,
                ),
                _rule(across(median), middle - 9, across(median), middle + 9, "plot-median"),
            )
        )
    if not items:
        shapes.append(_text(width / 2, height / 2, "No figures yet", "middle"))
    return _figure(
        title, _svg(title, "; ".join(told) or "No figures yet.", shapes, width=width, height=height)
    )


def spark(
    values: Sequence[float | None], *, words: str, tone: str = "accent", width: int = 120, height: int = 24
) -> Markup:
    """A tiny line without axes, for a row of a list.

    Args:
        values: Figures at even distances; None, NaN and infinity are gaps.
        words: What it shows, with the figure that matters: it is all that a screen reader has.
        tone: One of TONES.
        width: Of the drawing.
        height: Likewise.
    """
    points = [(float(number), value) for number, value in enumerate(values)]
    frame = _Frame(left=2, right=width - 2, top=3, bottom=height - 3)
    known = [y for _, y in _known(points)]
    low, high = min([0.0, *known]), max([0.0, *known])
    scale = _Scale(low, high if high > low else low + 1, ())
    most = max(len(values) - 1, 1)

    def across(x: float) -> float:
        return frame.left + x / most * frame.across

    runs = _runs(_holes(points, list(_known(points)), None))
    shapes = [
        _rule(frame.left, frame.bottom, frame.right, frame.bottom, "plot-grid"),
        *_line(frame, scale, runs, _Style(_tone(tone, 0), ""), across),
    ]
    return _svg(words, "", shapes, width=width, height=height, kind="spark")


def table_of(
    figures: Sequence[Series] | Sequence[Bar] | Sequence[Spread],
    *,
    title: str,
    unit: Quantity,
    zone: dt.tzinfo = dt.UTC,
) -> Markup:
    """The numbers behind a plot, as a table: of series at most 48 times, evenly chosen.

    Args:
        figures: What was drawn.
        title: What it shows: the table's caption.
        unit: What the figures count.
        zone: The time zone of the times written.
    """
    series = [each for each in figures if isinstance(each, Series)]
    if series:
        return _table(title, ("Time", *(each.label for each in series)), _rows_over_time(series, unit, zone))
    spreads = [each for each in figures if isinstance(each, Spread)]
    if spreads:
        headings = ("What", "Least", "Quarter below", "Median", "Quarter above", "Most", "How many")
        return _table(title, headings, _rows_of_spreads(spreads, unit))
    rows = [
        (each.label, _told_bar(each, unit))
        for each in figures
        if isinstance(each, Bar)  # it is one, as nothing else is left
    ]
    return _table(title, ("What", "Figure"), rows)


# --- Figures ------------------------------------------------------------------------------------------------


def _is_figure(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and abs(value) < _MOST


def _known(points: Iterable[tuple[float, float | None]]) -> Iterator[tuple[float, float]]:
    for x, y in points:
        if y is not None and _is_figure(x) and _is_figure(y):
            yield x, y


def _holes(
    points: Sequence[tuple[float, float | None]], known: Sequence[tuple[float, float]], gap: float | None
) -> Iterator[tuple[float, float] | None]:
    """The known points, with None where the line is to be broken."""
    empty = [x for x, y in points if not _is_figure(y)]
    before: float | None = None
    for x, y in known:
        if before is not None:
            between = bisect.bisect_right(empty, x) > bisect.bisect_left(empty, before)
            if between or (gap is not None and x - before > gap):
                yield None
        yield x, y
        before = x


def _runs(points: Iterable[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [run for run in runs if run]


def _thinned(points: Sequence[tuple[float, float]], most: int) -> Sequence[tuple[float, float]]:
    """No more points than can be told apart: of each column the least and the most, in their order."""
    if len(points) <= 2 * most:
        return points
    size = math.ceil(len(points) / most)
    kept: list[tuple[float, float]] = []
    for at in range(0, len(points), size):
        column = points[at : at + size]
        ends = {min(column, key=lambda point: point[1]), max(column, key=lambda point: point[1])}
        kept.extend(sorted(ends))
    return kept


def _stacked(known: Sequence[Sequence[tuple[float, float]]]) -> list[list[tuple[float, float]]]:
    """Each part's upper edge: its figure and those of all parts below it, at every time that any has."""
    times = sorted({x for points in known for x, _ in points})
    below = dict.fromkeys(times, 0.0)
    edges: list[list[tuple[float, float]]] = []
    for points in known:
        for x, y in points:
            below[x] += max(y, 0.0)
        edges.append([(x, below[x]) for x in times])
    return edges


def _quartiles(ordered: Sequence[float]) -> tuple[float, float, float]:
    if len(ordered) == 1:
        return ordered[0], ordered[0], ordered[0]
    low, median, high = statistics.quantiles(ordered, n=4, method="inclusive")
    return low, median, high


def _bins(values: Sequence[float], unit: Quantity, edges: Sequence[float]) -> list[tuple[float, float, int]]:
    known = [value for value in values if _is_figure(value)]
    if not known:
        return []
    if not edges:
        low, high = min(known), max(known)
        if high - low <= _LEAST * max(1.0, abs(low)):
            high = low + max(1.0, abs(low))
        step = _step(low, high, 8, unit)
        first = math.floor(low / step) * step
        edges = [first + step * number for number in range(int((high - first) / step) + 2)]
    counts = [0] * (len(edges) - 1)
    for value in known:
        counts[min(max(bisect.bisect_right(edges, value) - 1, 0), len(counts) - 1)] += 1
    return [(low, high, count) for (low, high), count in zip(itertools.pairwise(edges), counts, strict=True)]


# --- Scales and axes ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scale:
    """From what figure to what figure an axis goes, and where it is marked."""

    low: float
    high: float
    ticks: tuple[float, ...]

    @classmethod
    def over(cls, values: Iterable[float | None], unit: Quantity) -> _Scale:
        """One that holds all of them, and 0."""
        known = [value for value in values if value is not None and _is_figure(value)]
        low, high = min([0.0, *known]), max([0.0, *known])
        if high - low < _LEAST:
            high = low + 1.0
        step = _step(low, high, _TICKS, unit)
        bottom, top = math.floor(low / step), math.ceil(high / step - 1e-9)
        return cls(bottom * step, top * step, tuple(number * step for number in range(bottom, top + 1)))


def _step(low: float, high: float, about: int, unit: Quantity) -> float:
    """A round distance, so that about so many of them fill the way from low to high."""
    rough = high / about - low / about
    if unit is Quantity.SECONDS and rough > 1:
        longer = [step for step in _SECONDS_STEPS if step >= rough]
        if longer:
            return float(longer[0])
    power = 10.0 ** math.floor(math.log10(rough))
    found = power * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    return max(1.0, math.ceil(found)) if unit.whole and found < 10 else found  # noqa: PLR2004 - past it, all are


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where in a drawing the figures are."""

    left: float
    right: float
    top: float
    bottom: float

    @classmethod
    def around(cls, scale: _Scale, unit: Quantity, width: int, height: int) -> _Frame:
        """What the labels of the axes leave."""
        longest = max(len(said(tick, unit)) for tick in scale.ticks)
        return cls(longest * _LETTER + 8, width - _RIGHT, _TOP, height - _BOTTOM)

    @property
    def across(self) -> float:
        return self.right - self.left

    def down(self, value: float, scale: _Scale) -> float:
        """How far down a figure is."""
        return self.bottom - (value - scale.low) / (scale.high - scale.low) * (self.bottom - self.top)


def _value_axis(frame: _Frame, scale: _Scale, unit: Quantity) -> Iterator[Markup]:
    for tick in scale.ticks:
        y = frame.down(tick, scale)
        yield _rule(frame.left, y, frame.right, y, "plot-grid")
        yield _text(frame.left - 6, y + 4, said(tick, unit), "end")


def _time_axis(frame: _Frame, first: float, last: float, zone: dt.tzinfo) -> Iterator[Markup]:
    most = max(2, int(frame.across / 62))
    step = next((each for each in _TIME_STEPS if (last - first) / each <= most), None)
    if step is None:
        step = math.ceil((last - first) / most / _TIME_STEPS[-1]) * _TIME_STEPS[-1]
    for moment in _round_times(first, last, step, zone):
        x = frame.left + (moment.timestamp() - first) / (last - first) * frame.across
        words = f"{moment:%H:%M}" if step < _DAY else f"{moment.day} {moment:%b}"
        yield _rule(x, frame.bottom, x, frame.bottom + 3, "plot-mark")
        half = len(words) * _LETTER / 2
        inside = min(max(x, frame.left + half - 8), frame.right + _RIGHT - half)
        yield _text(inside, frame.bottom + 15, words, "middle")


def _round_times(first: float, last: float, step: int, zone: dt.tzinfo) -> Iterator[dt.datetime]:
    """The times that are round on a clock of the zone, also over a change of summer time."""
    midnight = dt.datetime.fromtimestamp(first, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if step >= _DAY:
        days = step // _DAY
        moment = midnight - dt.timedelta(days=midnight.toordinal() % days)
        while moment.timestamp() <= last:
            if moment.timestamp() >= first:
                yield moment
            moment += dt.timedelta(days=days)
        return
    # Every zone's offset from UTC is a multiple of a quarter of an hour.
    grain = min(step, 15 * _MINUTE)
    at = math.ceil(first / grain)
    while at * grain <= last:
        moment = dt.datetime.fromtimestamp(at * grain, zone)
        if (moment.hour * _HOUR + moment.minute * _MINUTE + moment.second) % step == 0:
            yield moment
        at += 1


# --- Shapes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Style:
    """How a series is told from the others: a tone, and a dash pattern for eyes that do not tell tones."""

    tone: str
    dash: str

    @classmethod
    def of(cls, number: int, tone: str) -> _Style:
        return cls(_tone(tone, number), _DASHES[(number + number // len(TONES)) % len(_DASHES)])


def _tone(tone: str, number: int) -> str:
    return tone if tone in TONES else TONES[number % len(TONES)]


def _line(
    frame: _Frame,
    scale: _Scale,
    runs: Sequence[Sequence[tuple[float, float]]],
    style: _Style,
    across: _Across,
) -> Iterator[Markup]:
    dash = {"stroke_dasharray": style.dash} if style.dash else {}
    for run in runs:
        if len(run) == 1:
            # Alone between gaps, a point would be a line of no length.
            x, y = run[0]
            yield _element(
                "circle",
                class_=f"plot-point tone-{style.tone}",
                cx=_short(across(x)),
                cy=_short(frame.down(y, scale)),
                r=2.5,
            )
            continue
        path = _path(frame, scale, _thinned(run, max(int(frame.across), 1)), across)
        yield _element("path", class_=f"plot-line tone-{style.tone}", d=f"M{path}", **dash)


def _areas(
    frame: _Frame,
    scale: _Scale,
    edges: Sequence[Sequence[tuple[float, float]]],
    styles: Sequence[_Style],
    across: _Across,
) -> Iterator[Markup]:
    below: Sequence[tuple[float, float]] = [(x, 0.0) for x, _ in edges[0]] if edges else []
    for edge, style in zip(edges, styles, strict=True):
        if len(edge) == 1:
            # One time alone is a bar of a hair's width, so that it can be seen.
            x = across(edge[0][0])
            top, bottom = frame.down(edge[0][1], scale), frame.down(below[0][1], scale)
            yield _rule(x, bottom, x, top, f"plot-line tone-{style.tone}")
        elif edge:
            most = max(int(frame.across), 1)
            there = _path(frame, scale, _thinned(edge, most), across)
            back = _path(frame, scale, _thinned(below, most)[::-1], across)
            yield _element("path", class_=f"plot-area tone-{style.tone}", d=f"M{there}L{back}Z")
            dash = {"stroke_dasharray": style.dash} if style.dash else {}
            yield _element("path", class_=f"plot-line tone-{style.tone}", d=f"M{there}", **dash)
        below = edge


def _path(frame: _Frame, scale: _Scale, points: Sequence[tuple[float, float]], across: _Across) -> str:
    return "L".join(f"{_short(across(x))} {_short(frame.down(y, scale))}" for x, y in points)


def _threshold(frame: _Frame, scale: _Scale, value: float, words: str) -> Markup:
    y = frame.down(value, scale)
    # Above its line, unless that is the upper edge.
    at = y - 4 if y - frame.top > 12 else y + 12  # noqa: PLR2004 - the height of its text
    return _element(
        "g",
        _rule(frame.left, y, frame.right, y, "plot-threshold", stroke_dasharray="5 3"),
        _text(frame.right, at, words, "end", kind="plot-text plot-threshold-text"),
    )


def _standing(items: Sequence[Bar], unit: Quantity, width: int, height: int) -> list[Markup]:
    scale = _Scale.over([each.value for each in items], unit)
    frame = _Frame.around(scale, unit, width, height)
    shapes = [*_value_axis(frame, scale, unit)]
    step = frame.across / max(len(items), 1)
    longest = max((len(each.label) for each in items), default=1)
    every = max(1, math.ceil(min(longest, 14) * _LETTER / step)) if items else 1
    zero = frame.down(0.0, scale)
    for number, each in enumerate(items):
        x = frame.left + number * step
        if each.value is not None and _is_figure(each.value):
            y = frame.down(each.value, scale)
            shapes.append(
                _element(
                    "rect",
                    _element("title", f"{each.label}: {_told_bar(each, unit)}"),
                    class_=f"plot-fill tone-{_tone(each.tone, 0)}",
                    x=_short(x + step * 0.12),
                    y=_short(min(y, zero)),
                    width=_short(max(step * 0.76, 1)),
                    height=_short(abs(zero - y)),
                )
            )
        if number % every == 0:
            words = _cut(each.label, max(int(step * every / _LETTER), 3))
            shapes.append(_text(x + step / 2, frame.bottom + 15, words, "middle"))
    if not items:
        shapes.append(_nothing(frame))
    return shapes


def _lying(items: Sequence[Bar], unit: Quantity, width: int) -> tuple[list[Markup], int]:
    height = int(_ROW * max(len(items), 1) + 4)
    left = _label_room([each.label for each in items], width)
    notes = [_told_bar(each, unit) for each in items]
    room = min(max((len(each) for each in notes), default=0), 26) * _LETTER + 8
    known = [each.value for each in items if each.value is not None and _is_figure(each.value)]
    low, high = min([0.0, *known]), max([0.0, *known])
    across = max(width - left - room, 20) / max(high - low, _LEAST)
    shapes: list[Markup] = []
    for number, (each, words) in enumerate(zip(items, notes, strict=True)):
        middle = 2 + _ROW * (number + 0.5)
        shapes.append(_label(each.label, left, middle))
        end = left
        if each.value is not None and _is_figure(each.value):
            begin, end = (
                left + (min(each.value, 0) - low) * across,
                left + (max(each.value, 0) - low) * across,
            )
            shapes.append(
                _element(
                    "rect",
                    _element("title", f"{each.label}: {words}"),
                    class_=f"plot-fill tone-{_tone(each.tone, 0)}",
                    x=_short(begin),
                    y=_short(middle - 8),
                    width=_short(max(end - begin, 1)),
                    height=16,
                    rx=2,
                )
            )
        shapes.append(_text(end + 6, middle + 4, _cut(words, 26), "start", kind="plot-text plot-figure"))
    if not items:
        shapes.append(_text(width / 2, height / 2 + 4, "No figures yet", "middle"))
    return shapes, height


def _told_bar(bar: Bar, unit: Quantity) -> str:
    words = said(bar.value, unit) if bar.value is not None and _is_figure(bar.value) else "no figure"
    return f"{words}, {bar.note}" if bar.note else words


def _label_room(labels: Sequence[str], width: int) -> float:
    return min(max((len(label) for label in labels), default=0) * _LETTER + 10, width * 0.38)


def _label(words: str, left: float, middle: float) -> Markup:
    cut = _cut(words, int((left - 8) / _LETTER))
    return _text(left - 8, middle + 4, cut, "end", title=words if cut != words else "")


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: max(most - 1, 1)]}…"


def _nothing(frame: _Frame) -> Markup:
    return _text((frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2, "No figures yet", "middle")


def _rule(x1: float, y1: float, x2: float, y2: float, kind: str, **more: object) -> Markup:
    return _element("line", class_=kind, x1=_short(x1), y1=_short(y1), x2=_short(x2), y2=_short(y2), **more)


def _text(
    x: float, y: float, words: str, anchor: str = "start", *, kind: str = "plot-text", title: str = ""
) -> Markup:
    inside = (_element("title", title), words) if title else (words,)
    return _element("text", *inside, class_=kind, x=_short(x), y=_short(y), text_anchor=anchor)


# --- Words --------------------------------------------------------------------------------------------------


def _summary(series: Sequence[Series], unit: Quantity) -> str:
    told = []
    for each in series:
        known = [y for _, y in _known(each.points)]
        if known:
            told.append(
                f"{each.label}: {said(known[-1], unit)} last, "
                f"{said(min(known), unit)} at least, {said(max(known), unit)} at most."
            )
        else:
            told.append(f"{each.label}: no figures.")
    return " ".join(told)


def _legend(series: Sequence[Series], styles: Sequence[_Style], unit: Quantity) -> Markup:
    entries = []
    for each, style in zip(series, styles, strict=True):
        dash = {"stroke_dasharray": style.dash} if style.dash else {}
        sample = _element(
            "svg",
            _rule(0, 5, 26, 5, f"plot-line tone-{style.tone}", **dash),
            class_="plot-sample",
            viewBox="0 0 26 10",
            width=26,
            height=10,
            aria_hidden="true",
        )
        known = [y for _, y in _known(each.points)]
        last = _element("b", said(known[-1], unit) if known else "no figure")
        entries.append(_element("li", sample, each.label, " ", last))
    return _element("ul", *entries, class_="plot-legend")


def _rows_over_time(series: Sequence[Series], unit: Quantity, zone: dt.tzinfo) -> Iterator[tuple[str, ...]]:
    by_time = [dict(_known(each.points)) for each in series]
    times = sorted({x for figures in by_time for x in figures})
    every = math.ceil(len(times) / _MOST_ROWS) or 1
    # The last time is always among them: it is the one that is looked for.
    for x in reversed(times[::-1][::every]):
        yield _moment(x, zone), *(said(figures[x], unit) if x in figures else "-" for figures in by_time)


def _rows_of_spreads(spreads: Sequence[Spread], unit: Quantity) -> Iterator[tuple[str, ...]]:
    for each in spreads:
        known = sorted(value for value in each.values if _is_figure(value))
        figures = (known[0], *_quartiles(known), known[-1]) if known else ()
        yield each.label, *([said(value, unit) for value in figures] or ["-"] * 5), str(len(known))


def _moment(time: float, zone: dt.tzinfo) -> str:
    moment = dt.datetime.fromtimestamp(time, zone)
    return f"{moment.day} {moment:%b %Y, %H:%M} {moment:%Z}".rstrip()


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    head = _element("tr", *(_element("th", each, scope="col") for each in headings))
    body = [
        _element("tr", _element("th", row[0], scope="row"), *(_element("td", each) for each in row[1:]))
        for row in rows
    ]
    return _element(
        "table",
        _element("caption", title),
        _element("thead", head),
        _element("tbody", *body),
        class_="plot-table",
    )


# --- Markup -------------------------------------------------------------------------------------------------


def _figure(title: str, drawing: Markup, legend: str = "") -> Markup:
    return _element("figure", _element("figcaption", title), drawing, legend, class_="plot")


def _svg(
    title: str, told: str, shapes: Iterable[Markup], *, width: int, height: int, kind: str = "plot-drawing"
) -> Markup:
    words = [_element("title", title), *([_element("desc", told)] if told else [])]
    return _element(
        "svg",
        *words,
        *shapes,
        class_=kind,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        xmlns="http://www.w3.org/2000/svg",
    )


def _element(tag: str, *inside: str, **attributes: object) -> Markup:
    """An element. Whatever is not Markup already is escaped, attributes' values too."""
    said_attributes = Markup().join(
        Markup(' {}="{}"').format(
            name if name == "viewBox" else name.rstrip("_").replace("_", "-"), _plain(str(value))
        )
        for name, value in attributes.items()
    )
    content = Markup().join(each if isinstance(each, Markup) else _plain(each) for each in inside)
    return Markup("<{0}{1}>{2}</{0}>").format(tag, said_attributes, content)


def _plain(words: str) -> str:
    """Without the control characters that no document may hold, escaped or not (XML 1.0, section 2.2)."""
    return "".join(each if each >= " " or each in "\t\n" else "�" for each in words)


def _short(number: float) -> str:
    """A coordinate with as many digits as can be seen."""
    return f"{number:.1f}".removesuffix(".0")
