"""Elements of an SVG picture, and a look for light and dark rooms."""

import math
from enum import StrEnum
from xml.sax.saxutils import escape, quoteattr


class Look(StrEnum):
    """`auto` follows the room as the browser knows it."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


# Apart for every kind of colour vision, and strong enough on both grounds.
_STAGES_LIGHT = {
    "wait": "#c81e3a",
    "move": "#1c6fb8",
    "settle": "#e8a317",
    "capture": "#d1490c",
    "expose": "#d1490c",
    "readout": "#58b4e5",
    "copy": "#8aa0b5",
    "judge": "#0a8f6a",
    "encode": "#b5629a",
    "hash": "#6d4bb0",
    "store": "#6b7684",
    "write": "#6b7684",
    "journal": "#2b333d",
}
_STAGES_DARK = _STAGES_LIGHT | {
    "wait": "#ff6b7d",
    "move": "#4f9fe6",
    "settle": "#f2bd4b",
    "capture": "#ff8a4c",
    "expose": "#ff8a4c",
    "readout": "#aee0f5",
    "judge": "#35c295",
    "encode": "#dd92c6",
    "hash": "#a58bea",
    "store": "#97a4b4",
    "write": "#97a4b4",
    "journal": "#e3e9f0",
}
_GROUND_LIGHT = {"ground": "#ffffff", "band": "#f1f4f8", "line": "#d3dae3", "text": "#131a24", "muted": "#4d5b6c"}
_GROUND_DARK = {"ground": "#151c25", "band": "#1c2530", "line": "#344252", "text": "#e9eef4", "muted": "#a3b1c1"}
_FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"


def style_of(look: Look) -> str:
    """Return the style sheet; classes are `s-` and a stage's name for bars, and the kinds of text and line."""
    light, dark = (_variables(*colours) for colours in ((_GROUND_LIGHT, _STAGES_LIGHT), (_GROUND_DARK, _STAGES_DARK)))
    colours = f"svg{{{dark if look is Look.DARK else light}}}"
    if look is Look.AUTO:
        colours += f"@media(prefers-color-scheme:dark){{svg{{{dark}}}}}"
    bars = "".join(f".s-{stage}{{fill:var(--{stage})}}" for stage in _STAGES_LIGHT)
    return (
        f"{colours}text{{{_FONT};font-size:13px;fill:var(--text);font-variant-numeric:tabular-nums}}"
        ".ground{fill:var(--ground)}.band{fill:var(--band)}.line{stroke:var(--line);stroke-width:1}"
        ".strong{stroke:var(--text);stroke-width:1.5}.muted{fill:var(--muted)}.key{font-size:12px}.small{font-size:11px}"
        ".title{font-size:21px;font-weight:650}.head{font-size:15px;font-weight:650}.end{text-anchor:end}"
        f".middle{{text-anchor:middle}}{bars}"
    )


def _variables(grounds: dict[str, str], stages: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in (grounds | stages).items())


def box(x: float, y: float, width: float, height: float, kind: str, says: str = "") -> str:
    """Return a bar; what it says is shown by browsers when somebody points at it."""
    shape = f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.6):.1f}" height="{height:.1f}" class="{kind}"'
    return f"{shape}><title>{escape(says)}</title></rect>" if says else f"{shape}/>"


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "line") -> str:
    """Return a straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def text(x: float, y: float, says: str, kind: str = "") -> str:
    """Return a line of text that stands on y."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class={quoteattr(kind)}>{escape(says)}</text>'


def ticks_s(longest_s: float, most: int) -> list[float]:
    """Return round numbers of seconds from 0 to no more than `longest_s`, no more than about `most` of them."""
    rough_s = max(longest_s, 1e-3) / most
    magnitude = 10.0 ** math.floor(math.log10(rough_s))
    step_s = next(magnitude * factor for factor in (1, 2, 5, 10) if magnitude * factor >= rough_s)
    return [step_s * number for number in range(int(longest_s / step_s + 1e-9) + 1)]


def tick_text(seconds: float, step_s: float) -> str:
    """Return a tick's number with as many decimals as its step needs."""
    decimals = max(0, -math.floor(math.log10(step_s) + 1e-9))
    return f"{seconds:.{decimals}f}"
