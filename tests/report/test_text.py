import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from sodiophile.quantity import Quantity
from sodiophile.report.text import (
    Names,
    column_words,
    file_stem,
    joined,
    json_in_page,
    json_ready,
    number_text,
    quantity_text,
    start,
    unit_text,
    with_links,
)


@pytest.mark.parametrize(
    ("unit", "printed"),
    [
        ("mA/cm^2", "mA cm⁻²"),
        ("mA cm-2", "mA cm⁻²"),
        ("mA*cm**-2", "mA cm⁻²"),
        ("ohm cm^2", "Ω cm²"),
        ("ohm*cm^2", "Ω cm²"),
        ("kJ/mol", "kJ mol⁻¹"),
        ("1/s", "s⁻¹"),
        ("cm^2/s", "cm² s⁻¹"),
        ("um", "µm"),
        ("percent", "%"),
        ("eV", "eV"),
        ("1", ""),
        ("J/(mol*K)", "J/(mol K)"),
    ],
)
def test_units_are_printed_as_journals_do(unit, printed):
    assert unit_text(unit) == printed


def test_numbers_have_true_minus_signs_and_powers():
    assert number_text(-3.2e-9, 4e-10) == "−3.2(4)\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10⁻⁹"
    assert number_text(-1.25) == "−1.25"


def test_a_quantity_says_its_bound_and_its_sign():
    assert quantity_text(Quantity(5, "h", bound="lower")) == ">\N{NO-BREAK SPACE}5\N{NO-BREAK SPACE}h"
    assert quantity_text(Quantity(5, "mV", 1), signed=True) == "+5.0(10)\N{NO-BREAK SPACE}mV"
    assert quantity_text(Quantity(5, "percent")) == "5%"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("current_density_mA_cm2", ("current density", "mA cm⁻²")),
        ("time_h", ("time", "h")),
        ("half_cycle", ("half cycle", "")),
        ("mA_cm2", ("mA_cm2", "")),
        ("V", ("V", "")),
    ],
)
def test_a_column_says_its_unit(name, expected):
    assert column_words(name) == expected


@given(st.text(max_size=300))
def test_file_stems_are_safe_everywhere(text):
    stem = file_stem(text)
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", stem)
    assert len(stem) <= 61
    assert ".." not in stem
    assert "--" not in stem
    assert stem.split(".")[0] not in {"con", "prn", "aux", "nul", "com1", "lpt1"}


@given(st.lists(st.text(alphabet="aA.- ö2", max_size=4), max_size=20))
def test_names_are_unique(texts):
    names = Names()
    given_names = [names.unique(text) for text in texts]
    assert len({name.lower() for name in given_names}) == len(texts)


@given(st.recursive(st.none() | st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.lists))
def test_json_in_a_page_cannot_end_its_script_and_reads_back(value):
    text = str(json_in_page(value))
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == value


def test_json_has_no_number_that_it_cannot_say():
    assert json_ready({"a": (math.nan, math.inf, 1.5), 2: {3}}) == {"a": [None, None, 1.5], "2": [3]}


@given(st.text())
def test_links_change_nothing_but_links(text):
    assert "<script" not in str(with_links(text))
    if "http" not in text.lower() and "10." not in text:
        assert str(with_links(text)) == str(escape(text))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see doi:10.1000/made.up(1).", "https://doi.org/10.1000/made.up(1)"),
        ("(10.1000/made.up)", "https://doi.org/10.1000/made.up"),
        ("at https://example.org/a?b=1&c=2, and", "https://example.org/a?b=1&amp;c=2"),
    ],
)
def test_addresses_become_links(text, address):
    assert f'href="{address}"' in str(with_links(text))


@pytest.mark.parametrize("text", ["javascript:alert(1)", 'https://x"onclick="alert(1)', "https://x<script>"])
def test_a_link_carries_no_script(text):
    markup = str(with_links(text))
    assert "javascript:" not in re.findall(r'href="([^"]*)"', markup)
    assert "onclick=" not in re.sub(r"&#34;.*", "", markup)
    assert "<script" not in markup


def test_the_start_of_a_text_ends_with_a_word():
    assert start("energies; per adatom, against the free atom", 30) == "energies; per…"
    assert start("a" * 90, 30) == "a" * 20 + "…"


def test_lists_in_words():
    assert [joined([]), joined(["a"]), joined(["a", "b", "c"])] == ["", "a", "a, b and c"]
