"""A customer's summary is cached, and never older than the last change that was answered, in a race or without the cache."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from compose.stores import RedisServer
from graders.probes.faults import Gate
from tests.reference_service.calling import Tenant, ok, problem
from tests.reference_service.jobs_running import Jobs, with_jobs, working
from tests.reference_service.running import Database, Row, eventually, free_port, started


@pytest.fixture
def jobs(
    database: Database, base_env: Mapping[str, str], queue: RedisServer, cache: RedisServer
) -> Iterator[Jobs]:
    with with_jobs(database, base_env, queue, cache) as running:
        yield running


def summary(tenant: Tenant, customer: str) -> Row:
    return ok(tenant.get(f"/v1/customers/{customer}/summary"))


def scans(database: Database) -> int:
    """How often the invoices were looked at so far, by whatever way; told by sessions that have ended or are idle."""
    database.rows("SELECT pg_stat_force_next_flush()")
    (row,) = database.rows(
        "SELECT coalesce(seq_scan, 0) + coalesce(idx_scan, 0) AS scans FROM pg_stat_all_tables"
        " WHERE relname = 'invoices'"
    )
    return int(row["scans"])


def break_behind(database: Database) -> None:
    """From here on whoever asks the database for invoices fails."""
    database.execute("REVOKE SELECT ON invoices FROM billing_app")


def mend(database: Database) -> None:
    database.execute("GRANT SELECT ON invoices TO billing_app")


def test_a_summary_adds_up(jobs: Jobs) -> None:
    tenant = jobs.tenant
    customer = tenant.customer()
    assert summary(tenant, customer)["newest_at"] is None
    tenant.draft(customer, 5)
    sent = tenant.sent(customer, 100)
    ok(tenant.post(f"/v1/invoices/{sent['id']}/payments", {"amount_cents": 30}), 201)
    voided = tenant.draft(customer, 7)
    ok(tenant.post(f"/v1/invoices/{voided['id']}/void"))
    found = summary(tenant, customer)
    assert found.pop("newest_at") == sent["created_at"]
    assert found == {
        "customer_id": customer,
        "currency": "EUR",
        "invoices": 2,
        "drafts": 1,
        "total_cents": 100,
        "paid_cents": 30,
        "outstanding_cents": 70,
    }


def test_a_second_read_asks_the_database_nothing_and_the_key_expires(jobs: Jobs) -> None:
    customer = jobs.tenant.customer()
    first = summary(jobs.tenant, customer)
    break_behind(jobs.tenant.database)
    assert summary(jobs.tenant, customer) == first
    assert [0 < jobs.cache.ttl(key) <= 60 for key in jobs.cache.scan_iter()] == [True]


def test_no_change_leaves_an_old_summary(jobs: Jobs) -> None:
    tenant = jobs.tenant
    customer = tenant.customer()

    def invoices_after(change: object) -> int:
        return int(summary(tenant, customer)["invoices"])

    assert invoices_after(None) == 0
    draft = tenant.draft(customer, 10)
    assert invoices_after(draft) == 1
    ok(tenant.post(f"/v1/invoices/{draft['id']}/send", {"due_on": "2026-01-31"}))
    assert summary(tenant, customer)["outstanding_cents"] == 10
    ok(tenant.post(f"/v1/invoices/{draft['id']}/payments", {"amount_cents": 4}), 201)
    assert summary(tenant, customer)["outstanding_cents"] == 6
    charge = tenant.post(f"/v1/invoices/{draft['id']}/charges", {"amount_cents": 6})
    with working(jobs.env):
        jobs.ended(charge.headers["Location"])
    assert summary(tenant, customer)["outstanding_cents"] == 0
    other = tenant.draft(customer, 10)
    assert invoices_after(other) == 2
    ok(tenant.post(f"/v1/invoices/{other['id']}/void"))
    assert invoices_after(other) == 1


def test_a_customer_that_is_gone_has_no_summary(jobs: Jobs) -> None:
    customer = jobs.tenant.customer()
    summary(jobs.tenant, customer)
    jobs.tenant.send("DELETE", f"/v1/customers/{customer}")
    problem(jobs.tenant.get(f"/v1/customers/{customer}/summary"), 404)


def test_a_cached_summary_is_its_tenants_alone(jobs: Jobs) -> None:
    customer = jobs.tenant.customer()
    summary(jobs.tenant, customer)
    other = jobs.tenant.database.add_tenant()
    problem(jobs.web.call("GET", f"/v1/customers/{customer}/summary", tenant=other), 404)


def test_a_read_that_a_write_overtakes_is_not_kept(jobs: Jobs) -> None:
    """The reader has read before the write, and comes to the cache after it."""
    tenant, database = jobs.tenant, jobs.tenant.database
    customer = tenant.customer()
    with database.connect(autocommit=False) as holder, ThreadPoolExecutor(1) as thread:
        # The reader waits inside its query; `customers` is needed by no one who writes an invoice with a number.
        holder.execute("LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE")
        reading = thread.submit(summary, tenant, customer)
        eventually(lambda: jobs.cache.keys("*:filling"), "the reader has the right to fill")
        filling = jobs.cache.get(f"billing:summary:{customer}:filling")
        holder.rollback()
        reading.result()
    # Now by hand, in the order that hurts: the right was given, a write comes, the old value is put.
    jobs.cache.delete(f"billing:summary:{customer}")
    jobs.cache.set(f"billing:summary:{customer}:filling", filling or b"")
    tenant.draft(customer)
    assert jobs.cache.get(f"billing:summary:{customer}:filling") is None


def test_readers_and_writers_at_once_never_leave_an_old_summary(jobs: Jobs) -> None:
    tenant = jobs.tenant
    customer = tenant.customer()
    over = threading.Event()

    def read_on() -> None:
        while not over.is_set():
            summary(tenant, customer)

    with ThreadPoolExecutor(4) as readers, started({**jobs.env, "PORT": str(free_port())}) as second:
        beside = Tenant(second, tenant.database, tenant.id)
        reading = [readers.submit(read_on) for _ in range(4)]
        try:
            for number in range(40):
                tenant.draft(customer)
                assert summary(beside, customer)["invoices"] == number + 1
        finally:
            over.set()
        for each in reading:
            each.result()


def test_many_cold_readers_ask_the_database_once(jobs: Jobs) -> None:
    customer = jobs.tenant.customer()
    before = scans(jobs.tenant.database)
    with ThreadPoolExecutor(50) as readers:
        found = list(readers.map(lambda _: summary(jobs.tenant, customer), range(50)))
    assert all(each == found[0] for each in found)
    jobs.web.terminate()  # a session's numbers are told when it ends
    assert jobs.web.ended() == 0
    assert 1 <= scans(jobs.tenant.database) - before <= 2


def test_without_its_cache_answers_are_right(
    database: Database, base_env: Mapping[str, str], queue: RedisServer, cache: RedisServer
) -> None:
    with Gate(cache.port) as gate:
        url = cache.url().replace(f":{cache.port}", f":{gate.port}")
        with with_jobs(database, {**base_env}, queue, cache, CACHE_URL=url) as jobs:
            tenant = jobs.tenant
            customer = tenant.customer()

            def is_cached() -> bool:
                summary(tenant, customer)
                return jobs.cache.get(f"billing:summary:{customer}") is not None

            for invoices, fault in enumerate((gate.cut, gate.hold)):
                eventually(is_cached, "the cache is used")
                with fault() as landed:
                    tenant.draft(customer)
                    assert summary(tenant, customer)["invoices"] == invoices + 1
                assert landed.connections > 0
                # What was cached before the cache went away is old by now, and must not come back with it.
                assert summary(tenant, customer)["invoices"] == invoices + 1


def test_a_write_that_ends_leaves_the_mark_of_another_that_is_under_way(jobs: Jobs) -> None:
    """Two writes of one customer overlap. The later one ends; until the first has ended, nothing that was read is kept."""
    tenant = jobs.tenant
    customer = tenant.customer()
    voided = tenant.draft(customer, 10)
    key = f"billing:summary:{customer}"
    with tenant.database.connect(autocommit=False) as holder, ThreadPoolExecutor(1) as thread:
        # The first write waits in its transaction, where it adds its lines; a void needs none.
        holder.execute("LOCK TABLE invoice_lines IN EXCLUSIVE MODE")
        writing = thread.submit(tenant.draft, customer, 20)
        eventually(lambda: jobs.cache.exists(f"{key}:changing"), "the first write is under way")
        ok(tenant.post(f"/v1/invoices/{voided['id']}/void"))
        assert summary(tenant, customer)["invoices"] == 0
        assert jobs.cache.get(key) is None, "what the first write is about to change was put into the cache"
        holder.rollback()
        writing.result()
    assert summary(tenant, customer)["invoices"] == 1
    assert jobs.cache.get(key) is not None
