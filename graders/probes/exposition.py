"""What a process tells of itself at /metrics, in Prometheus' text format or as OpenMetrics, as numbers to compare."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_format

from graders.check import Failure
from graders.probes.api import Answer

OPENMETRICS = "application/openmetrics-text"
BECAUSE_READ = "A page that the scraper can't read is no page: the graphs end there, and so do the alerts."

Wanted = str | Collection[str]


@dataclass(frozen=True)
class Sample:
    """One line of the page: the name as it stands there, the labels, the value."""

    name: str
    labels: Mapping[str, str]
    value: float

    def fits(self, name: str, wanted: Mapping[str, Wanted]) -> bool:
        return self.name == name and all(
            self.labels.get(label, "") in ((value,) if isinstance(value, str) else value)
            for label, value in wanted.items()
        )


@dataclass(frozen=True)
class Page:
    """One scrape. types: of each family, by the name of its samples without `_total`, `_count`, `_sum`, `_bucket`."""

    samples: tuple[Sample, ...]
    types: Mapping[str, str]
    did: str

    def total(self, name: str, **wanted: Wanted) -> float:
        """The sum of all series of the name that have these labels (one value, or one of several); 0 without any."""
        return sum(sample.value for sample in self.samples if sample.fits(name, wanted))

    def has(self, name: str, **wanted: Wanted) -> bool:
        """Whether there is any such series."""
        return any(sample.fits(name, wanted) for sample in self.samples)

    def values(self, name: str, label: str) -> set[str]:
        """Every value that the label has in series of the name."""
        return {sample.labels.get(label, "") for sample in self.samples if sample.name == name}

    def series(self) -> int:
        """How many there are."""
        return len(self.samples)

    def type_of(self, name: str) -> str | None:
        """`counter`, `gauge`, `histogram`, ... or None where nothing is said of it."""
        return self.types.get(name.removesuffix("_total"), self.types.get(name))


def page_of(answer: Answer) -> Page:
    """The answer to GET /metrics, read. Raises Failure for another status, and for what no scraper could read."""
    answer.expect(200, because="Without its numbers nobody sees how a process does.")
    media_type = answer.headers.get("Content-Type", "")
    families = openmetrics if media_type.startswith(OPENMETRICS) else text_format
    try:
        return _page(families(answer.body.decode("utf-8")), answer.did)
    # The library's parsers raise whatever their code stumbles over; the page is the submission's.
    except Exception as fault:
        raise Failure(
            expected="A page in Prometheus' text format.",
            got=f"{answer.summary()}\nIt can't be read: {fault}"[:600],
            because=BECAUSE_READ,
            did=answer.did,
        ) from None


def _page(families: Iterable[Metric], did: str) -> Page:
    samples: list[Sample] = []
    types: dict[str, str] = {}
    for family in families:
        types[family.name] = family.type
        samples += [Sample(one.name, dict(one.labels), float(one.value)) for one in family.samples]
    return Page(tuple(samples), types, did)
