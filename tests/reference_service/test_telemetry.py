"""With telemetry on, one request is followed through web, job and upstream, and the numbers say what happened."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
import requests

from compose.stores import RedisServer
from graders.probes.api import Answer
from graders.probes.exposition import Page, page_of
from graders.probes.faults import Gate
from graders.probes.json_lines import objects
from graders.probes.upstreams import CUT, refuse
from tests.reference_service.calling import Tenant, ok, problem
from tests.reference_service.jobs_running import Jobs, Worker, with_jobs, working
from tests.reference_service.running import Database, Row, eventually, free_port, started, web_env
from tests.reference_service.test_contract_tables import table

ON = {"TELEMETRY": "on", "VERSION": "2026.11-7"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@dataclass
class Told:
    """A service with jobs that tells of itself, and its worker."""

    jobs: Jobs
    worker: Worker
    worker_url: str

    def page(self, url: str = "") -> Page:
        return scraped(url or self.jobs.web.url)

    def lines(self, message: str) -> list[Row]:
        """What the worker has logged under this message."""
        read = (line.decode() for line in list(self.worker.lines))
        return [line for line in objects(read) if line["message"] == message]


def scraped(url: str) -> Page:
    got = requests.get(f"{url}/metrics", timeout=20)
    return page_of(Answer("curl", got.status_code, got.headers, got.content))


@pytest.fixture
def told(
    database: Database, base_env: Mapping[str, str], queue: RedisServer, cache: RedisServer
) -> Iterator[Told]:
    with with_jobs(database, base_env, queue, cache, **ON) as jobs:
        port = str(free_port())
        with working({**jobs.env, "PORT": port}) as worker:
            yield Told(jobs, worker, f"http://127.0.0.1:{port}")


def charged(tenant: Tenant, invoice: Row, **headers: str) -> requests.Response:
    path = f"/v1/invoices/{invoice['id']}/charges"
    return tenant.send("POST", path, {"amount_cents": 10}, **headers)


def test_a_request_is_followed_through_job_and_upstream(told: Told) -> None:
    jobs = told.jobs
    invoice = jobs.invoice("ada@example.org")
    jobs.outside.payments.script(invoice["number"], refuse(503))
    answer = charged(jobs.tenant, invoice, X_Request_ID="night-7", traceparent=TRACEPARENT, X_User_ID="carol")
    job = jobs.ended(answer.headers["Location"])
    line = jobs.web.line_of(answer)
    assert {"request_id": "night-7", "trace_id": TRACE, "user_id": "carol"}.items() <= line.items()
    calls = jobs.outside.payments.calls(invoice["number"])
    assert [call.headers["x-request-id"] for call in calls] == ["night-7", "night-7"]
    spans = [call.headers["traceparent"].split("-") for call in calls]
    assert {(version, trace) for version, trace, _, _ in spans} == {("00", TRACE)}
    assert len({span for _, _, span, _ in spans}) == 2

    def tries() -> list[Row]:
        return [line for line in told.lines("job") if str(line["job_id"]) == job["id"]]

    eventually(lambda: len(tries()) == 2, "a line for each try")
    assert [(line["attempt"], line["outcome"]) for line in tries()] == [(1, "put off"), (2, "done")]
    ids = {"request_id": "night-7", "trace_id": TRACE, "tenant_id": str(jobs.tenant.id)}
    assert all(ids.items() <= line.items() for line in tries())
    made = [line for line in told.lines("upstream call") if line["request_id"] == "night-7"]
    assert [(line["upstream"], line["outcome"], line["status"]) for line in made] == [
        ("payments", "failed", 503),
        ("payments", "success", 201),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "nonsense",
        TRACEPARENT.upper(),
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{TRACEPARENT}-more",
        f"00-{TRACE[1:]}-00f067aa0ba902b7-01",
    ],
)
def test_a_trace_that_is_none_is_replaced(tenant: Tenant, bad: str) -> None:
    first, second = (
        tenant.web.line_of(tenant.send("GET", "/v1/customers", traceparent=bad))["trace_id"] for _ in range(2)
    )
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert len({first, second, TRACE, "0" * 32}) == 4


def test_a_later_version_of_the_trace_is_understood(tenant: Tenant) -> None:
    answer = tenant.send("GET", "/v1/customers", traceparent=f"01-{TRACE}-00f067aa0ba902b7-01-what")
    assert tenant.web.line_of(answer)["trace_id"] == TRACE


@pytest.mark.parametrize("user", ["ada@example.org", "a" * 65, "a b"])
def test_a_user_that_is_no_id_is_nobody(tenant: Tenant, user: str) -> None:
    assert tenant.web.line_of(tenant.send("GET", "/v1/customers", X_User_ID=user))["user_id"] is None


def test_a_failure_is_told_once_with_its_cause_and_without_what_is_private(tenant: Tenant) -> None:
    database, marker = tenant.database, "screening-is-closed"
    database.execute(
        "CREATE FUNCTION closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF NEW.name = 'Closed' THEN RAISE EXCEPTION '{marker} for %', NEW.email"
        " USING DETAIL = 'A row:' || chr(10) || chr(10) || NEW::text, HINT = 'Look at ' || NEW::text; END IF; RETURN NEW; END $$"
    )
    database.execute(
        "CREATE TRIGGER closed BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION closed()"
    )
    address = {"street": "Hush Street 7", "city": "Bonn", "country": "DE"}
    body = {"name": "Closed", "email": "hush@example.org", "address": address}
    answer = tenant.post("/v1/customers", body)
    problem(answer, 500)
    tenant.web.line_of(answer)
    wanted = answer.headers["X-Request-ID"]
    (told,) = [line for line in tenant.web.lines if line["level"] == "error" and line["request_id"] == wanted]
    assert marker in told["error"]
    assert "Traceback" in told["stack"]
    assert "A row" not in str(told)
    assert not any("hush" in str(line).lower() for line in tenant.web.lines)


def test_every_metric_of_the_table_is_there_and_has_its_type(told: Told) -> None:
    invoice = told.jobs.invoice("ada@example.org")
    told.jobs.ended(charged(told.jobs.tenant, invoice).headers["Location"])
    pages = {"web": told.page(), "worker": told.page(told.worker_url)}
    for name, kind, labels, of, _ in table("metric"):
        for process in of.split(", "):
            page = pages[process]
            assert page.type_of(name) == kind, name
            sample = f"{name}_count" if kind == "histogram" else name
            (one, *_) = [one for one in page.samples if one.name == sample]
            assert set(one.labels) == set(re.findall(r"\w+", labels))
    assert pages["web"].has("service_info", version="2026.11-7")


def test_requests_are_counted_once_by_template(told: Told) -> None:
    tenant = told.jobs.tenant
    for number in range(30):
        tenant.get(f"/v1/customers/{10_000 + number}")
        tenant.get(f"/v1/nowhere/{number}")
        tenant.web.call(f"METHOD{number}", "/v1/customers")
    before = told.page()
    template = "/v1/customers/{customer_id}"
    assert before.total("http_requests_total", route=template, method="GET", status="404") == 30
    assert before.total("http_request_duration_seconds_count", route=template) == 30
    assert before.total("http_requests_total", route="unmatched") == 30
    assert before.total("http_requests_total", method="other") == 30
    assert before.total("http_requests_in_flight") == 0
    tenant.get("/v1/customers/7")
    after = told.page()
    assert after.series() == before.series()
    assert after.total("http_requests_total") == before.total("http_requests_total") + 1


def test_upstreams_are_counted_by_how_calls_ended(told: Told) -> None:
    jobs = told.jobs
    invoice = jobs.invoice("ada@example.org")
    jobs.outside.payments.script(invoice["number"], refuse(503), CUT, refuse(422))
    jobs.ended(charged(jobs.tenant, invoice).headers["Location"])

    def calls(outcome: str) -> float:
        return told.page(told.worker_url).total(
            "upstream_requests_total", upstream="payments", outcome=outcome
        )

    assert [calls(outcome) for outcome in ("success", "refused", "failed", "no-answer")] == [0, 1, 1, 1]
    assert told.page(told.worker_url).total("upstream_request_duration_seconds_count") >= 3


def test_what_is_held_up_is_seen(told: Told) -> None:
    jobs = told.jobs
    invoice = jobs.invoice("ada@example.org")
    with jobs.tenant.database.connect(autocommit=False) as lock, ExitStack() as stack:
        lock.execute("LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE")
        for _ in range(3):
            waits = stack.enter_context(requests.Session())
            stack.callback(lock.rollback)
            _begin(waits, f"{jobs.web.url}/v1/invoices/{invoice['id']}", jobs.tenant.id)
        eventually(lambda: told.page().total("http_requests_in_flight") == 3, "three in flight")
        assert told.page().total("db_pool_connections", state="used") == 3
        ok(jobs.web.call("GET", "/readyz"))
    eventually(lambda: told.page().total("http_requests_in_flight") == 0, "none in flight")


def _begin(session: requests.Session, url: str, tenant: int) -> None:
    with pytest.raises(requests.Timeout):
        session.get(url, headers={"X-Tenant-ID": str(tenant)}, timeout=0.05)


def test_what_waits_is_counted_and_its_age_told(
    database: Database, base_env: Mapping[str, str], queue: RedisServer, cache: RedisServer
) -> None:
    with with_jobs(database, base_env, queue, cache, **ON) as jobs:
        assert scraped(jobs.web.url).total("jobs_queued") == 0
        for _ in range(3):
            jobs.invoice("ada@example.org")
        page = scraped(jobs.web.url)
        assert (page.total("jobs_queued"), page.total("jobs_queued", kind="mail")) == (3, 3)
        database.execute("UPDATE jobs SET created_at = now() - interval '1 hour' WHERE id = 1")
        assert 3600 <= scraped(jobs.web.url).total("jobs_oldest_queued_seconds", kind="mail") < 3700
        assert scraped(jobs.web.url).total("jobs_oldest_queued_seconds", kind="charge") == 0


@pytest.mark.parametrize("kind", ["cut", "refuse", "hold"])
def test_readiness_falls_with_postgres_and_comes_back(
    kind: str, database: Database, base_env: Mapping[str, str]
) -> None:
    with Gate(database.server.port) as gate:
        env = web_env(database, base_env)
        url = env["DATABASE_URL"].replace(f":{database.server.port}/", f":{gate.port}/")
        with started({**env, "DATABASE_URL": url}) as web:
            with getattr(gate, kind)():
                assert problem(web.call("GET", "/readyz"), 503, "dependency-unavailable")["dependency"]
                ok(web.call("GET", "/livez"))
            eventually(lambda: web.call("GET", "/readyz").status_code == 200, "readiness again")


def test_a_pool_that_is_all_in_use_is_no_outage(told: Told) -> None:
    jobs = told.jobs
    invoice = jobs.invoice("ada@example.org")
    with jobs.tenant.database.connect(autocommit=False) as lock, requests.Session() as session:
        lock.execute("LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE")
        for _ in range(12):
            _begin(session, f"{jobs.web.url}/v1/invoices/{invoice['id']}", jobs.tenant.id)
        eventually(lambda: told.page().total("db_pool_connections", state="used") == 10, "none is left")
        ok(jobs.web.call("GET", "/readyz"))
        assert told.page().has("jobs_queued")


def test_the_worker_tells_of_its_health(told: Told) -> None:
    for path in ("/livez", "/readyz"):
        assert requests.get(told.worker_url + path, timeout=20).status_code == 200
