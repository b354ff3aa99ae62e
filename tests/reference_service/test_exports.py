"""An export streams: complete, with flat memory, the first byte long before the last row, and nothing after the caller."""

import csv
import socket
from collections.abc import Iterator, Mapping

import psutil
import pytest

from compose.stores import RedisServer
from tests.reference_service.calling import problem
from tests.reference_service.jobs_running import Jobs, with_jobs
from tests.reference_service.running import Database, Web, eventually

ROWS = 100_000
PATH = "/v1/exports/invoices.csv"


@pytest.fixture
def jobs(
    database: Database, base_env: Mapping[str, str], queue: RedisServer, cache: RedisServer
) -> Iterator[Jobs]:
    with with_jobs(database, base_env, queue, cache) as running:
        yield running


def fill(jobs: Jobs, rows: int) -> None:
    jobs.tenant.database.execute(
        """
        WITH of AS (INSERT INTO customers (tenant_id, name, email) VALUES (%s, 'A', 'a@b') RETURNING id, tenant_id)
        INSERT INTO invoices (tenant_id, customer_id, number, currency, total_cents)
        SELECT tenant_id, id, 'N' || n, 'EUR', n FROM of, generate_series(1, %s) AS n
        """,
        jobs.tenant.id,
        rows,
    )


def resident(web: Web) -> int:
    return int(psutil.Process(web.popen.pid).memory_info().rss)


def exporting(database: Database) -> list[str]:
    return [row["query"] for row in database.sessions() if row["state"] != "idle"]


def test_it_has_every_invoice_of_the_tenant_in_order(jobs: Jobs) -> None:
    sent = jobs.invoice("ada@example.org", 1234)
    draft = jobs.tenant.draft(sent["customer_id"], number='a "b", c')
    answer = jobs.tenant.get(PATH)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    head, *rows = csv.reader(answer.content.decode().splitlines())
    found = [dict(zip(head, row, strict=True)) for row in rows]
    wanted = [
        {name: "" if invoice[name] is None else str(invoice[name]) for name in head}
        for invoice in (sent, draft)
    ]
    for row in (*found, *wanted):
        row["created_at"] = row["created_at"].replace("Z", "+00:00")
    assert found == wanted
    assert answer.content.endswith(b"\r\n")


def test_a_tenant_without_invoices_gets_a_header(jobs: Jobs) -> None:
    assert jobs.tenant.get(PATH).text.count("\r\n") == 1


def test_it_is_csv_or_nothing(jobs: Jobs) -> None:
    problem(jobs.tenant.send("GET", PATH, Accept="application/json"), 406)
    problem(jobs.tenant.get(PATH, limit=1), 422, "invalid-request")
    assert jobs.tenant.send("GET", PATH, Accept="text/*").status_code == 200
    assert jobs.tenant.send("HEAD", PATH).content == b""


def test_memory_stays_flat(jobs: Jobs) -> None:
    fill(jobs, 1000)
    assert jobs.tenant.get(PATH).status_code == 200
    jobs.tenant.database.execute("DELETE FROM invoices")
    fill(jobs, ROWS)
    before = resident(jobs.web)
    answer = jobs.web.call("GET", PATH, tenant=jobs.tenant.id, stream=True)
    lines, most = 0, 0
    for chunk in answer.iter_content(1 << 20):
        lines += chunk.count(b"\n")
        most = max(most, resident(jobs.web))
    assert lines == ROWS + 1
    assert most - before < 16 * 1024**2


def test_who_leaves_ends_the_query(jobs: Jobs) -> None:
    fill(jobs, ROWS)
    port = int(jobs.env["PORT"])
    with socket.create_connection(("127.0.0.1", port), 10) as caller:
        caller.sendall(f"GET {PATH} HTTP/1.1\r\nHost: a\r\nX-Tenant-ID: {jobs.tenant.id}\r\n\r\n".encode())
        assert caller.recv(1000).startswith(b"HTTP/1.1 200")
        # The first bytes have come while the query is still under way.
        assert exporting(jobs.tenant.database)
    eventually(lambda: not exporting(jobs.tenant.database), "nobody reads for a caller who has left")
    assert jobs.web.call("GET", "/readyz").status_code == 200
