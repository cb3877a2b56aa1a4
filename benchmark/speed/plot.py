"""The findings as one SVG: times of one run on a logarithmic axis, below them throughput.

Written here, since a plotting library would be the largest dependency of the project. Colours
follow the reader's light or dark background; whoever can't tell them apart has the shapes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from benchmark.speed.clock import Latency, Throughput
from benchmark.speed.contender import Kind
from benchmark.speed.measure import Findings
from benchmark.speed.report import machine_line

WIDTH = 960
_LEFT, _RIGHT = 320, 720  # of the axes; names stand left of them, figures right
_ROW, _BAR = 24, 11  # heights
_FIGURES_X = 744
_TICKS_MOST = 10  # labels of a logarithmic axis that have room beside each other
_STYLE = """\
text { font: 13px system-ui, 'DejaVu Sans', sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 16px; } .head { font-weight: 600; font-size: 14px; }
.small { font-size: 11.5px; fill: #57606a; } .page { fill: #ffffff; }
.grid { stroke: #d8dee4; stroke-width: 1; } .axis { stroke: #8c959f; stroke-width: 1; }
.ours { fill: #0a6ebd; stroke: #0a6ebd; } .bare { fill: #57606a; stroke: #57606a; }
.peer { fill: #b35900; stroke: #b35900; } .range { stroke-width: 2.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .small { fill: #9da7b3; } .page { fill: #0d1117; }
  .grid { stroke: #30363d; } .axis { stroke: #6e7681; }
  .ours { fill: #58a6ff; stroke: #58a6ff; } .bare { fill: #9da7b3; stroke: #9da7b3; }
  .peer { fill: #f0a04b; stroke: #f0a04b; }
}"""
_CLASSES = {Kind.OURS: "ours", Kind.BARE: "bare", Kind.PEER: "peer"}
_OPACITIES = (1.0, 0.7, 0.45, 0.3)  # of the bars for one caller, two, more
_LEGEND = ((Kind.OURS, "SkillLite"), (Kind.BARE, "bare Python"), (Kind.PEER, "other sandboxes"))


@dataclass(slots=True)
class _Canvas:
    """Elements of the picture, and how far down it goes."""

    y: float = 0.0
    parts: list[str] = field(default_factory=list)

    def text(
        self, x: float, y: float, words: str, *, kind: str = "", anchor: str = "start"
    ) -> None:
        name = f' class="{kind}"' if kind else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}"{name} text-anchor="{anchor}">{escape(words)}</text>'
        )

    def line(self, x: float, y: float, to_x: float, to_y: float, kind: str) -> None:
        self.parts.append(
            f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" class="{kind}"/>'
        )

    def bar(
        self, x: float, y: float, width: float, height: float, kind: str, opacity: float
    ) -> None:
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'class="{kind}" stroke="none" style="stroke:none" fill-opacity="{opacity:g}"/>'
        )

    def mark(self, x: float, y: float, kind: Kind) -> None:
        """Draw a mark with the colour and the shape of this kind."""
        name = _CLASSES[kind]
        if kind is Kind.OURS:
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" class="{name}"/>')
        elif kind is Kind.BARE:
            self.parts.append(
                f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" class="{name}"/>'
            )
        else:
            points = f"{x:.1f},{y - 6.5:.1f} {x + 6.5:.1f},{y:.1f} {x:.1f},{y + 6.5:.1f} "
            points += f"{x - 6.5:.1f},{y:.1f}"
            self.parts.append(f'<polygon points="{points}" class="{name}"/>')


def draw(findings: Findings) -> str:
    """Return the picture."""
    canvas = _Canvas()
    canvas.text(20, 32, "Running one skill: SkillLite beside bare Python and others", kind="title")
    canvas.text(20, 52, machine_line(findings.machine), kind="small")
    _draw_legend(canvas, 76)
    canvas.y = 104
    figures = findings.figures
    wait = "min to p95, mark at p50; milliseconds, logarithmic; ratio to the p50 of its baseline"
    _draw_times(canvas, "Time of one run", wait, figures.latencies)
    if figures.commands:
        _draw_times(canvas, "Cold starts", wait, figures.commands)
    _draw_throughput(canvas, figures.throughputs)
    height = canvas.y + 10
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
            f'width="{WIDTH}" height="{height:.0f}" role="img" aria-labelledby="title">',
            '<title id="title">Time of one run and throughput of each contender</title>',
            f"<style>{_STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height:.0f}" class="page"/>',
            *canvas.parts,
            "</svg>\n",
        ]
    )


def log_ticks(least: float, most: float) -> list[float]:
    """Return round numbers that enclose this range of positive numbers.

    They are 1, 2 and 5 times powers of ten, or the powers alone when those would be too many.
    """
    ticks = _enclosing(least, most, (1, 2, 5))
    return ticks if len(ticks) <= _TICKS_MOST else _enclosing(least, most, (1,))


def _enclosing(least: float, most: float, factors: Sequence[int]) -> list[float]:
    steps = [
        factor * 10.0**power
        for power in range(math.floor(math.log10(least)) - 1, math.ceil(math.log10(most)) + 2)
        for factor in factors
    ]
    first = max(index for index, step in enumerate(steps) if step <= least)
    last = min(index for index, step in enumerate(steps) if step >= most)
    return steps[first : max(last, first + 1) + 1]


def short(value: float) -> str:
    """Return a positive number with three digits at least, and never with an exponent."""
    decimals = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    text = f"{value:.{min(decimals, 3)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def linear_ticks(most: float) -> list[float]:
    """Return about five round numbers from zero to at least `most`."""
    rough = most / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def _draw_legend(canvas: _Canvas, y: float) -> None:
    x = 28.0
    for kind, words in _LEGEND:
        canvas.mark(x, y - 4, kind)
        canvas.text(x + 14, y, words)
        x += 130


def _draw_times(canvas: _Canvas, title: str, subtitle: str, rows: Sequence[Latency]) -> None:
    _draw_head(canvas, title, subtitle)
    timed = sorted(
        (row for row in rows if row.p50_ms is not None), key=lambda row: row.p50_ms or 0.0
    )
    if not timed:
        return
    ticks = log_ticks(
        min(row.minimum_ms or 0.0 for row in timed), max(row.p95_ms or 0.0 for row in timed)
    )
    low, high = math.log10(ticks[0]), math.log10(ticks[-1])

    def place(value: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * (math.log10(value) - low) / (high - low)

    _draw_axis(canvas, ((place(tick), f"{tick:g}") for tick in ticks), len(timed), unit="ms")
    for row in timed:
        assert row.minimum_ms and row.p50_ms and row.p95_ms
        middle = canvas.y + _ROW / 2
        kind = _CLASSES[row.kind]
        canvas.text(_LEFT - 12, middle + 4.5, row.name, anchor="end")
        canvas.line(place(row.minimum_ms), middle, place(row.p95_ms), middle, f"{kind} range")
        canvas.mark(place(row.p50_ms), middle, row.kind)
        words = f"{short(row.p50_ms)} ms"
        words += f" ({short(row.p50_ratio)} x)" if row.p50_ratio is not None else ""
        words += f", {row.failures} failed" if row.failures else ""
        canvas.text(_FIGURES_X, middle + 4.5, words)
        canvas.y += _ROW
    canvas.y += 24


def _draw_throughput(canvas: _Canvas, rows: Sequence[Throughput]) -> None:
    callers = list(dict.fromkeys(row.callers for row in rows))
    names = list(dict.fromkeys(row.name for row in rows))
    most = max((row.per_s or 0.0 for row in rows), default=0.0)
    shades = dict(zip(callers, _shades(len(callers)), strict=True))
    order = ", ".join(str(number) for number in callers)
    _draw_head(
        canvas, "Throughput", f"right answers a second; bars from above: {order} callers at once"
    )
    if not most:
        return
    ticks = linear_ticks(most)
    scale = (_RIGHT - _LEFT) / ticks[-1]
    rows_high = (len(callers) * _BAR + 12) / _ROW
    places = [(_LEFT + tick * scale, f"{tick:g}") for tick in ticks]
    _draw_axis(canvas, places, rows_high * len(names), unit="/s")
    for name in names:
        own = [row for row in rows if row.name == name]
        height = len(callers) * _BAR
        canvas.text(_LEFT - 12, canvas.y + 6 + height / 2 + 4.5, name, anchor="end")
        for index, row in enumerate(own):
            top = canvas.y + 6 + index * _BAR
            width = (row.per_s or 0.0) * scale
            canvas.bar(_LEFT, top, width, _BAR - 2, _CLASSES[row.kind], shades[row.callers])
        words = " / ".join(short(row.per_s) if row.per_s else "-" for row in own)
        failures = sum(row.failures for row in own)
        words += f", {failures} failed" if failures else ""
        canvas.text(_FIGURES_X, canvas.y + 6 + height / 2 + 4.5, words)
        canvas.y += height + 12
    canvas.y += 24


def _shades(number: int) -> list[float]:
    return [_OPACITIES[min(index, len(_OPACITIES) - 1)] for index in range(number)]


def _draw_head(canvas: _Canvas, title: str, subtitle: str) -> None:
    canvas.text(20, canvas.y + 14, title, kind="head")
    canvas.text(20, canvas.y + 32, subtitle, kind="small")
    canvas.y += 56


def _draw_axis(
    canvas: _Canvas, places: Iterable[tuple[float, str]], rows: float, *, unit: str
) -> None:
    bottom = canvas.y + rows * _ROW
    for x, words in places:
        canvas.line(x, canvas.y - 4, x, bottom, "grid")
        canvas.text(x, canvas.y - 8, words, kind="small", anchor="middle")
    canvas.text(_RIGHT + 24, canvas.y - 8, unit, kind="small")
    canvas.line(_LEFT, bottom, _RIGHT, bottom, "axis")
