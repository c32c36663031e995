"""The page in a real browser: silent, steerable, readable at every width, printable."""

import os
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from sodiophile.report import write

from .browser import Browser, find_chromium
from .sample import sample

_CHROMIUM = find_chromium()

pytestmark = pytest.mark.skipif(_CHROMIUM is None, reason="no Chromium found (name one in SODIOPHILE_CHROMIUM)")

_CANVAS = "document.querySelector('.canvas[data-ready] canvas')"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return write(sample(), tmp_path_factory.mktemp("browser") / "a report (with #odd, name)")


@pytest.fixture(scope="module")
def browser():
    with Browser(_CHROMIUM) as running:
        try:
            running.call("Browser.getVersion")
        except (RuntimeError, OSError) as error:  # a TimeoutError is an OSError
            if "SODIOPHILE_CHROMIUM" in os.environ:
                raise
            pytest.skip(f"{_CHROMIUM} does not start here: {error}")
        yield running


@pytest.fixture(scope="module")
def page(browser, report):
    return browser.open(report)


def _show_first_structure(page, width=1280, height=900):
    page.resize(width, height)
    page.run("document.querySelector('.structures').scrollIntoView({block: 'center'})")
    page.wait_for(_CANVAS)
    page.browser.listen(0.3)
    box = page.run(f"(() => {{ const b = {_CANVAS}.getBoundingClientRect(); return [b.x, b.y, b.width, b.height] }})()")
    return dict(zip(("x", "y", "width", "height"), box, strict=True))


def _colours(picture):
    """Return the share of pixels that are neither white nor grey."""
    import io

    import numpy as np
    from matplotlib.image import imread

    pixels = imread(io.BytesIO(picture))[..., :3]
    return float((np.ptp(pixels, axis=-1) > 0.2).mean())


def test_a_structure_is_drawn_and_turns_with_the_mouse(page):
    box = _show_first_structure(page)
    before = page.picture(box)
    assert _colours(before) > 0.005
    page.browser.listen(0.3)
    assert page.picture(box) == before, "it must not turn by itself"
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.drag(middle, (120, 40))
    turned = page.picture(box)
    assert turned != before
    assert _colours(turned) > 0.005


def test_a_surface_is_drawn_around_its_structure_and_around_no_other(page):
    import io

    import numpy as np
    from matplotlib.image import imread

    def cyan(picture):
        red, green, blue = np.moveaxis(imread(io.BytesIO(picture))[..., :3], -1, 0)
        return float(((green > 1.5 * red) & (green > 0.75 * blue) & (blue > 0.3)).mean())

    box = _show_first_structure(page)
    page.run("document.querySelectorAll('.structures input')[1].click()")
    page.browser.listen(0.3)
    with_surface = cyan(page.picture(box))
    page.run("document.querySelectorAll('.structures input')[2].click()")
    page.browser.listen(0.3)
    assert cyan(page.picture(box)) < 0.2 * with_surface
    assert with_surface > 0.002


def test_views_keys_and_choices_change_what_is_seen(page):
    box = _show_first_structure(page)
    seen = []
    for script in (
        "document.querySelector('[data-do=top]').click()",
        "document.querySelector('[data-do=side]').click()",
        "document.querySelector('[data-do=in]').click()",
        "document.querySelectorAll('.structures input')[3].click()",
        "document.querySelector('.canvas').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft', bubbles: true}))",
    ):
        page.run(script)
        page.browser.listen(0.3)
        seen.append(page.picture(box))
    assert len(set(seen)) == len(seen)


def test_spinning_starts_and_stops(page):
    box = _show_first_structure(page)
    page.run("document.querySelector('[data-do=spin]').click()")
    page.browser.listen(0.3)
    first = page.picture(box)
    page.browser.listen(0.6)
    assert page.picture(box) != first
    page.run("document.querySelector('[data-do=spin]').click()")
    page.browser.listen(0.3)
    still = page.picture(box)
    page.browser.listen(0.5)
    assert page.picture(box) == still


def test_the_wheel_scrolls_the_page_and_not_the_structure(page):
    box = _show_first_structure(page)
    before = page.run("scrollY")
    page.mouse("mouseWheel", box["x"] + 20, box["y"] + 60, deltaX=0, deltaY=300)
    page.wait_for(f"scrollY > {before} + 100")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_width_overflows(page, width):
    page.resize(width, 800)
    page.run("document.querySelectorAll('details').forEach(one => { one.open = true })")
    page.browser.listen(0.2)
    assert page.run("document.documentElement.scrollWidth") <= width
    outside = page.run(
        f"""[...document.querySelectorAll('main *, header *, nav *')].filter(one => {{
            const box = one.getBoundingClientRect();
            return box.width > 0 && box.right > {width} + 1 && !one.closest('.scroll, pre, .canvas');
        }}).map(one => one.outerHTML.slice(0, 120))"""
    )
    assert outside == []
    page.run("document.querySelectorAll('details').forEach(one => { one.open = false })")


@pytest.mark.parametrize("width", [360, 1280])
def test_text_is_large_enough_and_dark_enough(page, width):
    page.resize(width, 800)
    poor = page.run(
        """(() => {
          const light = (colour) => {
            const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).slice(0, 3).map(c => c / 255)
              .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const behind = (one) => {
            for (; one; one = one.parentElement) {
              const colour = getComputedStyle(one).backgroundColor;
              if (!/, 0\\)$/.test(colour)) return colour;
            }
            return 'rgb(255, 255, 255)';
          };
          return [...document.querySelectorAll('main *, header *, nav *')].filter(one => {
            const own = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
            if (!own || one.closest('svg, script, .anchor') || !one.getClientRects().length) return false;
            const style = getComputedStyle(one);
            const [a, b] = [light(style.color), light(behind(one))].sort((x, y) => y - x);
            return parseFloat(style.fontSize) < 11 || (a + 0.05) / (b + 0.05) < 4.5;
          }).map(one => one.outerHTML.slice(0, 100));
        })()"""
    )
    assert poor == []


def test_it_prints_with_every_section(page, report, tmp_path):
    page.resize(1280, 900)
    printed = page.pdf()
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 2
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is absent: the text of the print cannot be read")
    (tmp_path / "r.pdf").write_bytes(printed)
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "r.pdf", "-"], capture_output=True, check=True
    ).stdout.decode()
    flat = " ".join(text.split())
    headings = page.run("[...document.querySelectorAll('h2, h3')].map(one => one.firstChild.textContent.trim())")
    for heading in headings:
        # a letter that no installed font has is not found again
        assert all(word in flat for word in heading.split() if word.isascii()), heading
    assert "a line of the study" in flat, "what is folded on the screen is printed"
    assert "The first 12 of 2000 rows" in flat
    assert not re.search(r"Drag to turn", flat)


def test_after_printing_the_page_is_as_before(page):
    assert page.run("document.querySelectorAll('details[open]').length") == 0


def test_it_asked_the_network_for_nothing_and_complained_of_nothing(page):
    assert page.requests() == []
    assert page.complaints() == []
    assert page.run("document.querySelectorAll('script:not([type])').length") == 2


def test_the_policy_stops_what_would_leave_the_page(browser, report):
    page = browser.open(report)
    page.run(
        """(() => {
          const image = document.createElement('img'); image.src = 'https://example.org/a.png'; document.body.append(image);
          const script = document.createElement('script'); script.textContent = 'window.broken = 1';
          document.body.append(script);
          fetch('https://example.org/').catch(() => {});
        })()"""
    )
    page.wait_for("true")
    assert page.run("window.broken === undefined")
    assert [text for text in page.complaints() if "Content Security Policy" in text]
    sent = [event for event in page.requests() if not event.startswith("https://example.org")]
    assert sent == []


@pytest.mark.slow
def test_more_structures_than_a_browser_has_contexts_for(browser, tmp_path):
    outcome = sample()
    job = outcome.jobs[1]
    many = replace(outcome, jobs=tuple(replace(job, name=f"calculation {number}") for number in range(18)))
    page = browser.open(write(many, tmp_path / "many"))
    for number in [*range(18), 1, 0]:
        page.run(f"document.querySelectorAll('.structures')[{number}].scrollIntoView({{block: 'center'}})")
        page.wait_for(f"document.querySelectorAll('.canvas')[{number}].dataset.ready")
    page.resize(700, 700)
    page.browser.listen(0.3)
    assert page.run("document.querySelectorAll('.canvas canvas').length") <= 8
    assert page.complaints() == []


@pytest.mark.usefixtures("browser")
def test_without_webgl_the_flat_drawings_show(report):
    with Browser(_CHROMIUM, webgl=False) as running:
        page = running.open(report)
        assert page.run("document.querySelectorAll('.live').length") == 0
        assert page.run("document.querySelector('.stage').getBoundingClientRect().height") == 0
        assert page.run("document.querySelector('.flat svg').getBoundingClientRect().height") > 40
        assert page.requests() == []
