"""A page of metrics is read as a scraper reads it, and what no scraper could read is a failure."""

import pytest

from graders.check import Failure
from graders.probes.api import Answer
from graders.probes.exposition import Page, page_of

TEXT = """\
# HELP http_requests_total Requests
# TYPE http_requests_total counter
http_requests_total{method="GET",route="/v1/customers",status="200"} 3
http_requests_total{method="GET",route="/v1/customers",status="404"} 2
http_requests_total{method="GET",route="/v1/a\\"b",status="200"} 1
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} 1
took_seconds_bucket{le="+Inf"} 2
took_seconds_sum 1.5
took_seconds_count 2
untold 7
"""
OPEN = """\
# TYPE http_requests counter
http_requests_total{status="200"} 3
# EOF
"""


def page(text: str, media_type: str = "text/plain; version=0.0.4", status: int = 200) -> Page:
    return page_of(Answer("curl /metrics", status, {"Content-Type": media_type}, text.encode()))


def test_series_are_summed_by_the_labels_that_are_asked_for() -> None:
    read = page(TEXT)
    assert read.total("http_requests_total") == 6
    assert read.total("http_requests_total", status="200") == 4
    assert read.total("http_requests_total", status=("200", "404"), route="/v1/customers") == 5
    assert read.total("http_requests_total", status="500") == 0
    assert read.total("nobody_tells_it") == 0
    assert read.values("http_requests_total", "status") == {"200", "404"}
    assert read.has("took_seconds_count")
    assert not read.has("took_seconds_count", route="x")
    assert read.series() == 8


def test_types_are_known_by_the_name_that_is_promised() -> None:
    read = page(TEXT)
    assert read.type_of("http_requests_total") == "counter"
    assert read.type_of("took_seconds") == "histogram"
    assert read.type_of("untold") == "unknown"
    assert read.type_of("nobody_tells_it") is None


def test_openmetrics_is_read_as_such() -> None:
    read = page(OPEN, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert read.total("http_requests_total") == 3
    assert read.type_of("http_requests_total") == "counter"


@pytest.mark.parametrize(
    ("text", "media_type"),
    [
        ('{"requests": 3}', "application/json"),
        ("<html><body>metrics</body></html>", "text/html"),
        ('http_requests_total{status="200} 3\n', "text/plain"),
        ("http_requests_total three\n", "text/plain"),
        (OPEN.replace("# EOF\n", ""), "application/openmetrics-text"),
    ],
)
def test_what_no_scraper_can_read_is_a_failure(text: str, media_type: str) -> None:
    with pytest.raises(Failure, match="text format"):
        page(text, media_type)


def test_another_status_is_a_failure() -> None:
    with pytest.raises(Failure, match="Status 200"):
        page(TEXT, status=404)
