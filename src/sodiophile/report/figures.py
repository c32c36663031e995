"""The figure of a result: drawn in the style of the report, as SVG, PDF and PNG, and made fit to stand in a page."""

from __future__ import annotations

import base64
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from markupsafe import Markup

from sodiophile.errors import InputError
from sodiophile.report.style import COLUMN_CM, HEIGHT_CM, SIMULATED, publication
from sodiophile.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset({
    "svg", "g", "defs", "path", "use", "clipPath", "rect", "circle", "ellipse", "line", "polyline", "polygon", "image",
    "text", "tspan", "linearGradient", "radialGradient", "stop", "pattern", "mask",
})  # fmt: skip
_ATTRIBUTES = frozenset({
    "viewBox", "width", "height", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "d", "points",
    "transform", "id", "clip-path", "clip-rule", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width",
    "stroke-opacity", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset",
    "opacity", "offset", "stop-color", "stop-opacity", "gradientUnits", "gradientTransform", "patternUnits",
    "clipPathUnits", "preserveAspectRatio", "mask", "text-anchor", "font-size", "font-family", "font-weight",
    "font-style", "dominant-baseline", "image-rendering",
})  # fmt: skip
_LOCAL = re.compile(r"url\(#([\w.:-]+)\)")
_DATA_PNG = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=\s]*")

# a page with a figure larger than this opens slowly: it gets the picture in pixels, the file keeps the lines
LARGEST_INLINE_SVG = 1_500_000


@dataclass(frozen=True)
class DrawnFigure:
    """A figure in its file formats.

    Parameters
    ----------
    svg, pdf, png
        The contents of the files.
    """

    svg: bytes
    pdf: bytes
    png: bytes

    def save(self, folder: Path, stem: str) -> tuple[str, ...]:
        """Write the three files; return their names."""
        names = []
        for ending in ("svg", "pdf", "png"):
            (folder / f"{stem}.{ending}").write_bytes(getattr(self, ending))
            names.append(f"{stem}.{ending}")
        return tuple(names)

    def inline(self, prefix: str, alt: str) -> Markup:
        """Return the figure as markup for a page: `inline_svg`, or the picture in pixels where the SVG is too large."""
        if len(self.svg) <= LARGEST_INLINE_SVG:
            return inline_svg(self.svg, prefix, alt)
        data = base64.b64encode(self.png).decode()
        return Markup('<img alt="{}" src="data:image/png;base64,{}">').format(alt, data)


def draw(result: Result) -> DrawnFigure | None:
    """Draw the figure of a result in the style of the report.

    Returns
    -------
    DrawnFigure or None
        None if this kind has no figure.

    Raises
    ------
    Exception
        Whatever the drawing of that kind raises.
    """
    if result.drawer is None:
        return None
    with _drawn(result) as figure:
        return DrawnFigure(*(_saved(figure, ending) for ending in ("svg", "pdf", "png")))


def check_figure_path(path: Path) -> None:
    """Refuse a place that no figure can be saved at, before anything is computed for it.

    Raises
    ------
    InputError
        If the ending is none of svg, pdf and png, or the folder is missing.
    """
    if path.suffix.lower().removeprefix(".") not in _METADATA:
        raise InputError(f"ends in {path.suffix or 'nothing'!r}, expected .{', .'.join(_METADATA)}", path)
    if not path.parent.is_dir():
        raise InputError(f"the figure cannot be written there: no such folder {path.parent}", path)
    if path.is_dir():
        raise InputError("is a folder, expected the name of a figure", path)


def save_figure(result: Result, path: Path) -> None:
    """Draw the figure of a result in the style of the report and save it.

    Parameters
    ----------
    result
        Of a kind that has a figure.
    path
        Where to; its ending (svg, pdf, png) tells the format.

    Raises
    ------
    InputError
        If the kind has no figure, the ending is another, or the file cannot be written.
    """
    check_figure_path(path)
    ending = path.suffix.lower().removeprefix(".")
    if result.drawer is None:
        raise InputError(f"a result of kind {result.kind!r} has no figure", path)
    with _drawn(result) as figure:
        content = _saved(figure, ending)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"the figure cannot be written there: {error.strerror or error}", path) from None


@contextmanager
def _drawn(result: Result) -> Iterator[Canvas]:
    """Draw a result; what is saved within this context has the style of the report."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with publication(), warnings.catch_warnings():
        # a letter that no installed family has is drawn as a box; nothing here could be done about it
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        figure = Figure(figsize=(COLUMN_CM / 2.54, HEIGHT_CM / 2.54), layout="constrained")
        FigureCanvasAgg(figure)
        axes = result.draw(figure.subplots())
        if result.simulated:
            _label_simulated(figure, axes)
        # laid out once, so that all files agree
        figure.draw_without_rendering()
        if _raise_offsets(figure):
            figure.draw_without_rendering()
        figure.set_layout_engine("none")
        yield figure


# no date: the same result gives the same bytes
_METADATA: dict[str, dict[str, str | None]] = {
    "svg": {"Date": None, "Creator": "sodiophile"},
    "pdf": {"CreationDate": None, "Creator": "sodiophile"},
    "png": {"Software": "sodiophile"},
}


def _saved(figure: Canvas, ending: str) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=ending, metadata=_METADATA[ending])
    return stream.getvalue()


def _raise_offsets(figure: Canvas) -> bool:
    """Write the common factor of an axis as a power of ten, where there is one.

    Asking matplotlib for it at once would typeset every number of every axis as an equation, which takes longer than
    all the rest.
    """
    from matplotlib.axis import Axis
    from matplotlib.ticker import ScalarFormatter

    formatters = [axis.get_major_formatter() for axis in figure.findobj(Axis)]
    found = [one for one in formatters if isinstance(one, ScalarFormatter) and one.get_offset()]
    for one in found:
        one.set_useMathText(True)
    return bool(found)


def _label_simulated(figure: Canvas, axes: Axes) -> None:
    """Write "simulated" above the axes, unless the figure says so already."""
    from matplotlib.text import Text

    texts = [str(artist.get_text()).lower() for artist in figure.findobj(Text) if artist.get_visible()]
    if not any("simulated" in text for text in texts):
        axes.set_title("simulated", loc="right", fontsize=7, color=SIMULATED, fontweight="bold")


def inline_svg(svg: bytes, prefix: str, alt: str) -> Markup:
    """Return an SVG of matplotlib as markup that may stand in a page beside others.

    Only known elements and attributes stay (no script, no event, no style sheet, no address that leaves the page), styles
    become attributes, identifiers get `prefix` so that two figures cannot share one, and comments go.

    Parameters
    ----------
    svg
        The file.
    prefix
        Starts every identifier; letters, digits and ``-``.
    alt
        What the figure shows, for those who cannot see it.
    """
    root = ET.fromstring(svg)  # noqa: S314 written by matplotlib a moment ago; no user's file
    clean = _cleaned(root, prefix)
    if clean is None:
        raise ValueError("not an SVG")
    for key in ("width", "height"):
        clean.attrib.pop(key, None)
    clean.attrib |= {"role": "img", "aria-label": alt, "stroke-linejoin": "round", "stroke-linecap": "butt"}
    text = ET.tostring(clean, encoding="unicode", short_empty_elements=True)
    return Markup(text)  # noqa: S704 every element and attribute was let through by name


def _cleaned(element: ET.Element, prefix: str) -> ET.Element | None:
    tag = str(element.tag).rpartition("}")[2]
    if tag not in _ELEMENTS:
        return None
    clean = ET.Element(tag)
    pairs = dict(element.attrib)
    for declaration in pairs.pop("style", "").split(";"):
        name, _, value = declaration.partition(":")
        pairs[name.strip()] = value.strip()
    for name, value in pairs.items():
        short = name.rpartition("}")[2]
        if short == "href":
            if tag == "use" and value.startswith("#"):
                clean.set("href", f"#{prefix}{value[1:]}")
            elif tag == "image" and _DATA_PNG.fullmatch(value):
                clean.set("href", value)
        # an address that is not within the figure goes
        elif short in _ATTRIBUTES and "url(" not in _LOCAL.sub("", value):
            clean.set(short, f"{prefix}{value}" if short == "id" else _LOCAL.sub(rf"url(#{prefix}\1)", value))
    if tag == "svg":
        clean.set("xmlns", _SVG)
    if tag in {"text", "tspan"}:
        clean.text = element.text
    for child in element:
        kept = _cleaned(child, prefix)
        if kept is not None:
            clean.append(kept)
    return clean
