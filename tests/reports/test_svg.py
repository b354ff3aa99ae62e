"""The picture of a screen: the same bytes every time, self-contained, all of the text in it."""

from html import unescape
from xml.etree import ElementTree as ET

from graders.reports.svg import report_svg

from . import samples


def test_the_same_report_makes_the_same_bytes() -> None:
    assert report_svg(samples.FAILED) == report_svg(samples.FAILED)


def test_it_loads_nothing_from_elsewhere() -> None:
    picture = report_svg(samples.FAILED).replace("http://www.w3.org/2000/svg", "")
    assert "url(http" not in picture
    assert "@font-face" not in picture
    assert "<script" not in picture


def test_a_long_command_continues_on_the_next_row() -> None:
    texts = [
        node.text or ""
        for node in ET.fromstring(report_svg(samples.FAILED)).iter()
        if node.tag.endswith("text")
    ]
    whole = unescape("".join(texts)).replace("\xa0", " ")
    assert samples.WHALE.did in whole.replace("\n", "")


def test_hostile_text_is_still_well_formed() -> None:
    ET.fromstring(report_svg(samples.HOSTILE))
