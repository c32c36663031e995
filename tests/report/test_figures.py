import re

import matplotlib as mpl
import pytest

from sodiophile.errors import InputError
from sodiophile.quantity import Quantity
from sodiophile.report.figures import draw, inline_svg, save_figure
from sodiophile.report.style import OKABE_ITO, publication
from sodiophile.result import Result

from .sample import EVIL


def _result(drawer, simulated=False):
    return Result("made-up", {}, {"q": Quantity(1, "mV")}, simulated=simulated, drawer=drawer)


def _line(_, axes):
    axes.plot([0, 1, 2], [0, 1, 0], marker="o", label=EVIL)
    axes.set(xlabel=f"time / h {EVIL}", ylabel="voltage / mV", title="κ 钠")
    axes.legend()


def test_a_figure_is_the_same_each_time():
    first, second = draw(_result(_line)), draw(_result(_line))
    assert first == second
    assert first.pdf.startswith(b"%PDF")
    assert first.png.startswith(b"\x89PNG")


def test_the_figure_is_one_column_wide():
    width = re.search(rb'<svg[^>]* width="([0-9.]+)pt"', draw(_result(_line)).svg)
    assert float(width[1]) == pytest.approx(8.5 / 2.54 * 72, abs=0.01)


def test_the_settings_of_the_user_neither_enter_nor_change():
    plain = draw(_result(_line))
    with mpl.rc_context({"font.size": 40, "axes.facecolor": "black"}):
        before = dict(mpl.rcParams)
        assert draw(_result(_line)) == plain
        assert dict(mpl.rcParams) == before


def test_simulated_is_written_on_the_figure_once():
    seen = {}

    def drawer(result, axes):
        _line(result, axes)
        seen["axes"] = axes

    draw(_result(drawer, simulated=True))
    assert seen["axes"].get_title("right") == "simulated"
    draw(_result(drawer))
    assert seen["axes"].get_title("right") == ""

    def says_so_itself(result, axes):
        drawer(result, axes)
        axes.set_title("Simulated cell")

    draw(_result(says_so_itself, simulated=True))
    assert seen["axes"].get_title("right") == ""


def test_a_common_factor_of_an_axis_is_a_power_of_ten():
    seen = {}

    def drawer(_, axes):
        axes.plot([0, 1], [0, 3e-9])
        seen["axes"] = axes

    draw(_result(drawer))
    assert "times" in seen["axes"].yaxis.get_offset_text().get_text()
    assert seen["axes"].xaxis.get_offset_text().get_text() == ""


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_a_figure_alone_is_the_one_of_the_report(ending, tmp_path):
    save_figure(_result(_line), tmp_path / f"one.{ending.upper()}")
    assert (tmp_path / f"one.{ending.upper()}").read_bytes() == getattr(draw(_result(_line)), ending)


def test_a_figure_that_cannot_be_saved_says_why(tmp_path):
    with pytest.raises(InputError, match=r"expected \.svg, \.pdf, \.png"):
        save_figure(_result(_line), tmp_path / "one.gif")
    with pytest.raises(InputError, match="has no figure"):
        save_figure(_result(None), tmp_path / "one.svg")
    with pytest.raises(InputError, match="cannot be written"):
        save_figure(_result(_line), tmp_path / "absent" / "one.svg")


def test_no_figure_for_a_kind_without_one():
    assert draw(_result(None)) is None


def test_inline_figures_share_no_identifier_and_no_reference_dangles():
    svg = draw(_result(_line)).svg
    texts = [str(inline_svg(svg, f"f{number}-", "alt")) for number in (1, 2)]
    identifiers = [set(re.findall(r'\bid="([^"]+)"', text)) for text in texts]
    assert identifiers[0]
    assert not identifiers[0] & identifiers[1]
    for text, own in zip(texts, identifiers, strict=True):
        assert set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text)) <= own


def test_inline_figures_carry_nothing_active():
    text = str(inline_svg(draw(_result(_line)).svg, "f-", EVIL))
    assert "<script" not in text
    assert "<style" not in text
    assert "style=" not in text
    assert "<!--" not in text


@pytest.mark.parametrize(
    "content",
    [
        "<script>alert(1)</script>",
        "<style>@import url(http://x.example)</style>",
        '<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="http://x.example"/></foreignObject>',
        '<rect onclick="alert(1)" width="1" height="1"/>',
        '<image href="http://x.example/a.png"/>',
        '<image href="data:image/svg+xml;base64,AAAA"/>',
        '<use href="http://x.example/a.svg#b"/>',
        '<path style="fill:url(http://x.example)" d="M0 0"/>',
        '<path fill="url(http://x.example/#a)" d="M0 0"/>',
        '<a href="javascript:alert(1)"><path d="M0 0"/></a>',
        "<animate attributeName='href' values='javascript:alert(1)'/>",
    ],
)
def test_active_content_does_not_get_into_the_page(content):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><g>{content}</g></svg>'.encode()
    text = str(inline_svg(svg, "f-", "alt"))
    for bad in ("script", "x.example", "iframe", "onclick", "svg+xml", "@import", "animate"):
        assert bad not in text.replace("http://www.w3.org", "")


def test_colours_are_told_apart():
    with publication():
        cycle = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert set(cycle) < set(OKABE_ITO.values())
    assert len(set(cycle)) == len(cycle) == 7
