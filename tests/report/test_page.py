import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from sodiophile.report import write
from sodiophile.report.summary import headline, manner, sentences

from .sample import EVIL, sample

_VOID = {"meta", "link", "img", "br", "input", "hr"}


class Elements(HTMLParser):
    """Every element of a page with its attributes and text, and whether all are closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.feed(page)
        self.close()
        self.unclosed = [self.found[index][0] for index in self._open]

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), []))
        if tag not in _VOID:
            self._open.append(len(self.found) - 1)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self.found[self._open.pop()][0] == tag

    def handle_data(self, data):
        for index in self._open:
            self.found[index][2].append(data)

    def of(self, *tags):
        return [(attributes, "".join(text)) for tag, attributes, text in self.found if tag in tags]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write(sample(), tmp_path_factory.mktemp("page") / "report").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def elements(page):
    return Elements(page)


def test_every_element_is_closed(elements):
    assert elements.unclosed == []


def test_the_only_scripts_are_ours_and_the_policy_names_them(elements):
    (policy,) = [attributes["content"] for attributes, _ in elements.of("meta") if "http-equiv" in attributes]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy

    def hashed(text):
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    running = [text for attributes, text in elements.of("script") if attributes.get("type") != "application/json"]
    assert len(running) == 2
    assert rules["script-src"].split() == [hashed(text) for text in running]
    assert rules["style-src"] == hashed(elements.of("style")[0][1])
    assert sum("3Dmol" in text[:200] for text in running) == 1


def test_nothing_is_loaded_and_nothing_runs_from_an_attribute(elements):
    for tag, attributes, _ in elements.found:
        assert tag not in {"iframe", "object", "embed", "base", "form", "foreignobject"}
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "srcset", "action"}]
        assert str(attributes.get("src", "data:")).startswith("data:")
        address = str(attributes.get("href", "#"))
        if tag == "link":
            assert address == "data:,"
        elif ":" in address:
            assert address.startswith("https://")


def test_texts_of_users_come_out_as_they_are(elements):
    (heading,) = [text for _, text in elements.of("h1")]
    assert heading == sample().title
    assert EVIL in next(text for _, text in elements.of("title"))
    texts = [text for _, text in elements.of("th")]
    assert EVIL in texts
    assert all("49" not in text for text in texts if "{{" in text)


def test_headings_go_down_one_step_at_a_time(elements):
    levels = [int(tag[1]) for tag, _, _ in elements.found if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_identifiers_are_unique_and_every_anchor_leads_somewhere(elements):
    identifiers = [attributes["id"] for _, attributes, _ in elements.found if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    for _, attributes, _ in elements.found:
        if str(attributes.get("href", "")).startswith("#"):
            assert attributes["href"][1:] in identifiers
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in identifiers


def test_the_page_can_be_heard(elements):
    assert [attributes.get("lang") for attributes, _ in elements.of("html")] == ["en"]
    for attributes, _ in elements.of("th"):
        assert attributes.get("scope") in {"col", "row"}
    tables, captions = elements.of("table"), elements.of("caption")
    assert len(tables) == len(captions)
    for attributes, _ in elements.of("svg"):
        assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"
    for attributes, text in elements.of("button"):
        assert text.strip() or attributes.get("aria-label")


def test_simulated_is_said_at_heading_figure_and_table(page):
    articles = re.findall(r'<article class="job is-simulated".*?</article>', page, re.DOTALL)
    assert len(articles) == 2
    for article in articles:
        assert "chip-simulated" in re.search(r"<h3.*?</h3>", article, re.DOTALL)[0]
        assert "simulated" in re.search(r"<figcaption.*?</figcaption>", article, re.DOTALL)[0]
        for caption in re.findall(r"<caption>.*?</caption>", article):
            assert "imulated" in caption
    for article in re.findall(r'<article class="job".*?</article>', page, re.DOTALL):
        assert "imulated" not in article


def test_failures_and_problems_are_shown(page):
    assert "The figure could not be drawn: RuntimeError: no drawing today" in page
    assert "7 atoms announced" in page
    assert page.count("vn.mpt: row 17") == 2


def test_long_tables_are_cut_and_say_so(page):
    assert "The first 12 of 2000 rows" in page
    assert page.count("<td") < 3000


def test_the_summary_counts_right():
    outcome = sample()
    said = " ".join(sentences(outcome))
    assert "7 results: 2 analyzed from measured files, 2 computed from structures, 2 simulated" in said
    assert "and 1 failed" in said
    assert "2 agree with ours, 1 disagrees, 1 cannot be compared and 1 has nothing" in said
    assert "adsorption energy top V of vn" in said
    assert "22 rows: 2 measured, 3 computed, 4 simulated, 1 failed and 12 not yet" in said


def test_the_headline_has_all_compared_values_and_the_first_of_every_other_job():
    rows = headline(sample(), {})
    compared = [row for row in rows if row.comparison]
    assert [row.quantity for row in compared] == ["adsorption_energy_hollow", "adsorption_energy_top_V", "lifespan"]
    assert [row.electrode for row in rows[3:5]] == ["bare", "vn"]
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("agrees within 1 σ", "agree"),
        ("Agrees", "agree"),
        ("disagrees by 3 σ", "disagree"),
        ("not yet", "missing"),
        ("differs by 3 eV; no uncertainty is known", "differ"),
        ("cannot be compared: units", "incomparable"),
        ("12 % above", "other"),
    ],
)
def test_verdicts_in_words_are_understood(verdict, expected):
    assert manner(verdict) == expected


def test_a_hostile_attachment_name_and_inputs_do_not_leave_their_place(tmp_path):
    outcome = sample()
    job = outcome.jobs[0]
    hostile = replace(
        job.result,
        attachments={"../../x</script>.xyz": "1\n\nNa 0 0 0\n", "CON": "", "a" * 300: ""},
        inputs={"</pre>": EVIL},
    )
    path = write(replace(outcome, jobs=(replace(job, result=hostile),)), tmp_path / "report")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report"]
    assert len(list((path.parent / "attachments").iterdir())) == 3
    assert Elements(path.read_text(encoding="utf-8")).unclosed == []
