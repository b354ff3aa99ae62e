"""The page as text, and in a real Chromium: it shows everything, runs nothing, fetches nothing, and fits a phone."""

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from graders.reports.model import Report
from graders.reports.plain import WHOLE_BYTES, safe
from graders.reports.web_page import to_html

from . import samples
from .browser import CHROMIUM, Page, chromium

ATTRIBUTES = {
    *(
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "id",
        "scope",
        "aria-hidden",
        "aria-labelledby",
    ),
}
VERBATIM = samples.EVERY.keys() - {"huge"}


class Reader(HTMLParser):
    """Collects the tags, the attributes and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


@samples.every
def test_no_text_becomes_markup(report: Report) -> None:
    read = Reader(to_html(report))
    assert not {"script", "img", "a", "link", "iframe", "form", "object", "svg", "base"} & set(read.tags)
    assert set(read.attributes) <= ATTRIBUTES, "no style, no event, nothing that fetches"
    assert len(set(read.attributes["id"])) == len(read.attributes["id"])


@samples.every
def test_it_stays_under_its_cap(report: Report) -> None:
    assert len(to_html(report).encode()) <= WHOLE_BYTES


@pytest.mark.parametrize("name", sorted(VERBATIM))
def test_nothing_is_left_out(name: str) -> None:
    report = safe(samples.EVERY[name])
    text = plain(Reader(to_html(report)).text)
    wanted = [report.title, report.isolation, report.tree_hash, str(report.seed), *report.blocked]
    for outcome in report.checks:
        if outcome.failure:
            failure = outcome.failure
            wanted += [
                failure.did,
                failure.expected,
                failure.got,
                failure.because,
                *failure.log,
                *failure.read,
            ]
    assert [part for part in wanted if plain(part) not in text] == []


def plain(text: str) -> str:
    """Without line breaks, and without the backslashes that spoil commands to CI machines."""
    return re.sub(r"\s+", " ", text.replace("\\::", "::").replace("#\\#", "##")).strip()


def test_printed_in_a_log_it_commands_nothing() -> None:
    assert not re.search(r"(?m)^\s*::|##\[", to_html(samples.HOSTILE))


def test_the_policy_allows_the_pages_own_style_and_nothing_else() -> None:
    page = to_html(samples.HOSTILE)
    style = re.search("<style>(.*?)</style>", page, re.S)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = Reader(page).attributes["content"][0]
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import", style[1])


# --- in a browser -------------------------------------------------------------------------------------------

in_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (apt-get install chromium)")

CONTRAST = """
(() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    const colour = numbers(getComputedStyle(element).backgroundColor);
    return colour[3] === 0 ? ground(element.parentElement) : colour;
  };
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const [dark, light] = [luminance(numbers(getComputedStyle(element).color)), luminance(ground(element))]
      .sort((a, b) => a - b);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < 4.5) found.push([element.className, element.textContent.slice(0, 40), ratio]);
  }
  return found;
})()
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Path]:
    files = {name: tmp_path / f"{name}.html" for name in samples.EVERY}
    for name, file in files.items():
        file.write_text(to_html(samples.EVERY[name]), encoding="utf-8")
    return files


@in_chromium
@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("name", samples.EVERY)
def test_it_fits_the_screen(name: str, width: int, page: Page, written: dict[str, Path]) -> None:
    page.open(written[name], width=width)
    assert page.ask("innerWidth") == width
    assert page.ask("document.documentElement.scrollWidth") == width
    outside = "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
    assert page.ask(f"{outside}.map(e => e.className)") == []


@in_chromium
def test_hostile_text_shows_as_text_and_runs_nothing(page: Page, written: dict[str, Path]) -> None:
    page.open(written["hostile"], width=1280)
    assert page.ask("document.title") == "lesson-05: not passed yet"
    assert page.ask("document.scripts.length + document.images.length + document.links.length") == 0
    assert "</script><script>document.title='owned'</script>" in page.ask("document.body.innerText")
    asked = [
        event["params"]["request"]["url"]
        for event in page.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [written["hostile"].as_uri()], "nothing is fetched but the page"
    complaints = [
        event for event in page.events if event["method"] in ("Log.entryAdded", "Runtime.exceptionThrown")
    ]
    assert complaints == [], "its own policy is kept"


@in_chromium
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["several", "ungraded", "blocked", "partial"])
def test_everyone_can_read_it(name: str, dark: bool, page: Page, written: dict[str, Path]) -> None:
    page.open(written[name], width=1280, dark=dark)
    page.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.ask(CONTRAST) == [], "WCAG 2.2, 1.4.3: at least 4.5 to 1"
    assert (
        page.ask("['header', 'main', 'footer', 'h1'].map(tag => document.querySelectorAll(tag).length)")
        == [1] * 4
    )
    levels = page.ask("[...document.querySelectorAll('h1,h2,h3')].map(each => Number(each.tagName[1]))")
    assert all(after - before <= 1 for before, after in pairwise(levels)), "no level is left out"
