"""A precision and coverage curve as a picture anybody's browser shows."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from imconnect.nlu.rehearsal import Point

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 48, 56
LEAST = 0.5  # below one answer in two right, nobody needs to see how far


def svg(points: Sequence[Point], title: str) -> str:
    """The curve through *points*: to the right more is answered, upwards more of it is right."""
    path = " ".join(f"{_across(point.coverage):.1f},{_up(point.precision):.1f}" for point in points)
    dots = [
        f'<circle cx="{_across(point.coverage):.1f}" cy="{_up(point.precision):.1f}" r="3">'
        f"<title>from {point.cut:.2f} on: {point.coverage:.1%} answered, {point.precision:.1%} right</title></circle>"
        for point in points
    ]
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
                'font-size="13" fill="#222">'
            ),
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            f'<text x="{LEFT}" y="28" font-size="15">{escape(title)}</text>',
            *_grid(),
            f'<polyline points="{path}" fill="none" stroke="#0a5" stroke-width="2"/>',
            f'<g fill="#0a5">{"".join(dots)}</g>',
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" text-anchor="middle">share answered</text>',
            (
                f'<text transform="translate(18 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">'
                "share of answers right</text>"
            ),
            "</svg>",
            "",
        ]
    )


def _grid() -> list[str]:
    lines: list[str] = []
    for tenth in range(0, 11, 2):
        x = _across(tenth / 10)
        lines.append(f'<line x1="{x}" y1="{TOP}" x2="{x}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        lines.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tenth * 10} %</text>')
    for tenth in range(5, 11):
        y = _up(tenth / 10)
        lines.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="#ddd"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{tenth * 10} %</text>')
    return lines


def _across(coverage: float) -> float:
    return LEFT + coverage * (WIDTH - LEFT - RIGHT)


def _up(precision: float) -> float:
    share = (max(LEAST, precision) - LEAST) / (1 - LEAST)
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
