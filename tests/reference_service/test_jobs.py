"""What is taken on is done once, told honestly, tried again with growing waits, and never lost or invented."""

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from compose.stores import RedisServer
from graders.probes.upstreams import CUT, HOLD, LOSE, refuse, waits
from tests.reference_service.calling import ok, pointers, problem
from tests.reference_service.jobs_running import Jobs, with_jobs, working
from tests.reference_service.running import SERVICE, Database, eventually, procfile, run
from tests.reference_service.test_contract_tables import table


@pytest.fixture
def jobs(
    database: Database, base_env: Mapping[str, str], queue: RedisServer, cache: RedisServer
) -> Iterator[Jobs]:
    with with_jobs(database, base_env, queue, cache) as running:
        yield running


def test_an_order_is_taken_on_and_touches_nobody_outside(jobs: Jobs) -> None:
    invoice = jobs.invoice("ada@example.org")
    answer = jobs.tenant.post(f"/v1/invoices/{invoice['id']}/charges", {"amount_cents": 400})
    taken = ok(answer, 202)
    assert (taken["kind"], taken["status"], taken["attempts"]) == ("charge", "queued", 0)
    assert jobs.job(answer.headers["Location"]) == taken
    assert jobs.outside.payments.calls(invoice["number"]) == ()
    listed = ok(jobs.tenant.get("/v1/jobs", status="queued"))
    assert [(job["kind"], job["invoice_id"]) for job in listed["items"]] == [
        ("mail", invoice["id"]),
        ("charge", invoice["id"]),
    ]
    assert listed["total"] == 2


def test_every_kind_is_done_once_and_its_status_is_told(jobs: Jobs) -> None:
    invoice = jobs.invoice("ada@example.org")
    charge = jobs.tenant.post(f"/v1/invoices/{invoice['id']}/charges", {"amount_cents": 400})
    report = jobs.tenant.post("/v1/reports", {"from": "2026-01-01", "until": "2126-01-01"})
    with working(jobs.env):
        charged = jobs.ended(charge.headers["Location"])
        reported = jobs.ended(report.headers["Location"])
        eventually(lambda: ok(jobs.tenant.get("/v1/jobs", status="queued"))["total"] == 0, "all done")
    assert (charged["status"], charged["attempts"]) == ("done", 1)
    paid = ok(jobs.tenant.get(f"/v1/invoices/{invoice['id']}/payments/{charged['payment_id']}"))
    assert paid["amount_cents"] == 400
    assert ok(jobs.tenant.get(f"/v1/invoices/{invoice['id']}"))["paid_cents"] == 400
    assert reported["report"]["invoices"] == 1
    (call,) = jobs.outside.mail.calls("ada@example.org")
    assert invoice["number"] in call.body["subject"]
    (call,) = jobs.outside.payments.calls(invoice["number"])
    assert call.body == {"amount_cents": 400, "currency": "EUR", "reference": invoice["number"]}
    assert jobs.outside.mail.faults() == jobs.outside.payments.faults() == ()
    eventually(lambda: all(jobs.queue.xlen(name) == 0 for name in jobs.queue.keys("*")), "nothing is left")


def test_what_passes_is_tried_again_ever_later_under_one_key(jobs: Jobs) -> None:
    invoice = jobs.invoice("ada@example.org")
    jobs.outside.payments.script(invoice["number"], refuse(503), CUT, refuse(429), HOLD)
    charge = jobs.tenant.post(f"/v1/invoices/{invoice['id']}/charges", {"amount_cents": 400})
    with working({**jobs.env, "RETRY_BASE_MS": "100"}):
        assert jobs.ended(charge.headers["Location"])["attempts"] == 5
    calls = jobs.outside.payments.calls(invoice["number"])
    assert len({call.key for call in calls}) == 1
    for number, waited in enumerate(waits(calls)):
        assert waited >= 0.1 * 2**number * 0.6


def test_a_lasting_refusal_is_a_dead_letter_at_once(jobs: Jobs) -> None:
    invoice = jobs.invoice("ada@example.org")
    jobs.outside.payments.script(invoice["number"], then=refuse(402))
    charge = jobs.tenant.post(f"/v1/invoices/{invoice['id']}/charges", {"amount_cents": 400})
    with working(jobs.env):
        ended = jobs.ended(charge.headers["Location"])
    assert (ended["status"], ended["reason"], ended["attempts"]) == ("dead", "refused", 1)
    assert ended["detail"]
    assert jobs.dead() == [ended]
    assert len(jobs.outside.payments.calls(invoice["number"])) == 1


def test_a_dead_letter_can_be_queued_again_and_keeps_its_key(jobs: Jobs) -> None:
    invoice = jobs.invoice("ada@example.org")
    jobs.outside.payments.script(invoice["number"], *[LOSE] * 6)
    answer = jobs.tenant.post(f"/v1/invoices/{invoice['id']}/charges", {"amount_cents": 400})
    path = answer.headers["Location"]
    problem(jobs.tenant.post(f"{path}/requeue"), 409, "job-not-dead")
    with working({**jobs.env, "RETRY_BASE_MS": "10"}):
        ended = jobs.ended(path)
        assert (ended["status"], ended["reason"], ended["attempts"]) == ("dead", "exhausted", 6)
        again = jobs.tenant.post(f"{path}/requeue")
        assert again.headers["Location"] == path
        assert ok(again, 202)["reason"] is None
        assert jobs.ended(path)["status"] == "done"
    assert jobs.outside.payments.works(invoice["number"]) == 1
    assert ok(jobs.tenant.get(f"/v1/invoices/{invoice['id']}"))["paid_cents"] == 400


def test_a_charge_of_an_invoice_that_was_voided_meanwhile_is_not_asked_for(jobs: Jobs) -> None:
    invoice = jobs.invoice("ada@example.org")
    path = f"/v1/invoices/{invoice['id']}"
    charge = jobs.tenant.post(f"{path}/charges", {"amount_cents": 400})
    ok(jobs.tenant.post(f"{path}/void"))
    with working(jobs.env):
        ended = jobs.ended(charge.headers["Location"])
    assert (ended["status"], ended["reason"], ended["attempts"]) == ("dead", "refused", 1)
    assert ended["detail"].startswith("Not asked for in this try: ")
    assert jobs.outside.payments.calls(invoice["number"]) == ()


def test_money_that_was_taken_and_cannot_be_booked_is_told_to_people(jobs: Jobs) -> None:
    """The invoice is voided between the provider's answer and the booking."""
    invoice = jobs.invoice("ada@example.org")
    charge = jobs.tenant.post(f"/v1/invoices/{invoice['id']}/charges", {"amount_cents": 400})
    with jobs.tenant.database.connect(autocommit=False) as holder:
        holder.execute("UPDATE invoices SET status = 'void' WHERE id = %s", (invoice["id"],))
        with working(jobs.env):
            jobs.outside.payments.await_calls(invoice["number"], 1)
            holder.commit()
            ended = jobs.ended(charge.headers["Location"])
    assert (ended["status"], ended["reason"]) == ("dead", "refused")
    assert ended["detail"].startswith("The provider has taken 400 cents that can't be booked: ")
    found = ok(jobs.tenant.get(f"/v1/invoices/{invoice['id']}"))
    assert (found["status"], found["paid_cents"]) == ("void", 0)


def test_another_worker_takes_over_from_one_that_was_killed(jobs: Jobs) -> None:
    invoice = jobs.invoice("ada@example.org")
    jobs.outside.payments.script(invoice["number"], LOSE, HOLD)
    charge = jobs.tenant.post(f"/v1/invoices/{invoice['id']}/charges", {"amount_cents": 400})
    slow = {**jobs.env, "UPSTREAM_TIMEOUT_MS": "20000"}
    with working(slow) as first:
        assert len(jobs.outside.payments.await_calls(invoice["number"], 2)) == 2
        first.popen.kill()
        first.ended()
    with working(jobs.env):
        assert jobs.ended(charge.headers["Location"])["status"] == "done"
    assert jobs.outside.payments.works(invoice["number"]) == 1
    assert ok(jobs.tenant.get(f"/v1/invoices/{invoice['id']}"))["paid_cents"] == 400


def test_a_job_that_takes_longer_than_its_lease_stays_with_who_has_it(jobs: Jobs) -> None:
    invoice = jobs.invoice("ada@example.org")
    jobs.outside.payments.script(invoice["number"], HOLD)
    charge = jobs.tenant.post(f"/v1/invoices/{invoice['id']}/charges", {"amount_cents": 400})
    slow = {**jobs.env, "UPSTREAM_TIMEOUT_MS": "3000"}
    with working(slow), working(slow):
        assert jobs.ended(charge.headers["Location"])["attempts"] == 2


def test_what_hangs_delays_no_other(jobs: Jobs) -> None:
    slow = {**jobs.env, "UPSTREAM_TIMEOUT_MS": "20000"}
    held = [jobs.invoice(f"held{number}@example.org") for number in range(8)]
    for number in range(8):
        jobs.outside.mail.script(f"held{number}@example.org", then=HOLD)
    with working(slow):
        for number in range(8):
            assert jobs.outside.mail.await_calls(f"held{number}@example.org", 1)
        charge = jobs.tenant.post(f"/v1/invoices/{held[0]['id']}/charges", {"amount_cents": 400})
        assert jobs.ended(charge.headers["Location"])["status"] == "done"


def test_a_stop_gives_back_what_takes_too_long(jobs: Jobs) -> None:
    invoice = jobs.invoice("ada@example.org")
    jobs.outside.payments.script(invoice["number"], HOLD)
    charge = jobs.tenant.post(f"/v1/invoices/{invoice['id']}/charges", {"amount_cents": 400})
    slow = {**jobs.env, "UPSTREAM_TIMEOUT_MS": "20000", "SHUTDOWN_GRACE_SECONDS": "0"}
    with working({**slow, "JOB_LEASE_SECONDS": "3600"}) as worker:
        assert jobs.outside.payments.await_calls(invoice["number"], 1)
        worker.terminate()
        assert worker.ended() == 0
        assert worker.said('"stopped"')
    given_back = jobs.job(charge.headers["Location"])
    assert (given_back["status"], given_back["attempts"]) == ("queued", 0)
    with working(jobs.env):
        assert jobs.ended(charge.headers["Location"])["attempts"] == 1


def test_a_stop_ends_what_is_in_hand(jobs: Jobs) -> None:
    invoice = jobs.invoice("ada@example.org")
    jobs.outside.payments.script(invoice["number"], HOLD)
    charge = jobs.tenant.post(f"/v1/invoices/{invoice['id']}/charges", {"amount_cents": 400})
    with working({**jobs.env, "UPSTREAM_TIMEOUT_MS": "20000"}) as worker:
        assert jobs.outside.payments.await_calls(invoice["number"], 1)
        worker.terminate()
        eventually(lambda: worker.said('"draining"'), "the worker drains")
        jobs.outside.payments.release()
        assert worker.ended() == 0
    assert jobs.job(charge.headers["Location"])["attempts"] == 1


def test_a_queue_that_lost_everything_loses_no_job(jobs: Jobs) -> None:
    jobs.outside.mail.script("ada@example.org", then=HOLD)
    invoice = jobs.invoice("ada@example.org")
    with working(jobs.env) as worker:
        assert jobs.outside.mail.await_calls("ada@example.org", 1)
        worker.popen.kill()
        worker.ended()
    jobs.queue.flushall()
    charge = jobs.tenant.post(f"/v1/invoices/{invoice['id']}/charges", {"amount_cents": 400})
    jobs.outside.mail.script("ada@example.org")
    with working(jobs.env):
        assert jobs.ended(charge.headers["Location"])["status"] == "done"
        listed = ok(jobs.tenant.get("/v1/jobs", kind="mail"))["items"]
        assert jobs.ended(f"/v1/jobs/{listed[0]['id']}")["status"] == "done"


def test_nonsense_in_the_queue_stops_nobody(jobs: Jobs) -> None:
    for fields in ({"job": "nonsense"}, {"other": "x"}, {"job": "999999"}, {"job": "9" * 30}):
        jobs.queue.xadd("billing:jobs:mail", fields)  # type: ignore[arg-type]
    jobs.invoice("ada@example.org")
    with working(jobs.env):
        assert jobs.outside.mail.await_calls("ada@example.org", 1)


def test_deliveries_that_come_twice_at_once_are_one(jobs: Jobs) -> None:
    invoice = jobs.invoice("ada@example.org")
    answer = jobs.tenant.post(f"/v1/invoices/{invoice['id']}/charges", {"amount_cents": 400})
    number = ok(answer, 202)["id"]
    for _ in range(20):
        jobs.queue.xadd("billing:jobs:charge", {"job": number})
    with working(jobs.env), working(jobs.env):
        assert jobs.ended(answer.headers["Location"])["attempts"] == 1
    assert len(jobs.outside.payments.calls(invoice["number"])) == 1


def test_a_full_queue_refuses_and_changes_nothing(
    database: Database, base_env: Mapping[str, str], queue: RedisServer, cache: RedisServer
) -> None:
    with with_jobs(database, base_env, queue, cache, QUEUE_LIMIT="2") as jobs:
        first = jobs.invoice("ada@example.org")
        draft = jobs.tenant.draft(jobs.tenant.customer())
        ok(jobs.tenant.post(f"/v1/invoices/{first['id']}/reminders"), 202)
        orders: list[tuple[str, object]] = [
            (f"/v1/invoices/{draft['id']}/send", {"due_on": "2026-01-31"}),
            (f"/v1/invoices/{first['id']}/reminders", None),
            (f"/v1/invoices/{first['id']}/charges", {"amount_cents": 1}),
            ("/v1/reports", {"from": "2026-01-01", "until": "2026-01-02"}),
        ]
        for path, body in orders:
            refused = jobs.tenant.post(path, body)
            problem(refused, 503, "queue-full")
            assert int(refused.headers["Retry-After"]) > 0
        assert ok(jobs.tenant.get(f"/v1/invoices/{draft['id']}"))["status"] == "draft"
        assert ok(jobs.tenant.get("/v1/jobs"))["total"] == 2


def test_an_order_is_repeated_safely_with_a_key(jobs: Jobs) -> None:
    invoice = jobs.invoice("ada@example.org")
    path = f"/v1/invoices/{invoice['id']}/charges"
    first, second = (
        jobs.tenant.send("POST", path, {"amount_cents": 1}, Idempotency_Key="k") for _ in range(2)
    )
    assert ok(first, 202) == ok(second, 202)
    assert ok(jobs.tenant.get("/v1/jobs", kind="charge"))["total"] == 1


def test_charges_take_no_more_than_is_outstanding(jobs: Jobs) -> None:
    path = f"/v1/invoices/{jobs.invoice('ada@example.org', 1000)['id']}/charges"
    ok(jobs.tenant.post(path, {"amount_cents": 600}), 202)
    problem(jobs.tenant.post(path, {"amount_cents": 401}), 409, "overpayment")
    ok(jobs.tenant.post(path, {"amount_cents": 400}), 202)


def test_orders_that_make_no_sense_are_refused(jobs: Jobs) -> None:
    draft = jobs.tenant.draft(jobs.tenant.customer())
    problem(jobs.tenant.post(f"/v1/invoices/{draft['id']}/reminders"), 409, "wrong-status")
    problem(jobs.tenant.post(f"/v1/invoices/{draft['id']}/charges", {"amount_cents": 1}), 409, "wrong-status")
    problem(jobs.tenant.post("/v1/invoices/999999/reminders"), 404)
    backwards = jobs.tenant.post("/v1/reports", {"from": "2026-02-01", "until": "2026-02-01"})
    assert pointers(problem(backwards, 422, "invalid-request")) == ["/body/until"]
    assert ok(jobs.tenant.get("/v1/jobs"))["total"] == 0


def test_the_document_has_the_routes_of_the_table(jobs: Jobs) -> None:
    document = jobs.web.call("GET", "/openapi.json").json()
    validate(document)
    assert document == json.loads((SERVICE / "openapi.jobs.json").read_text())
    without = json.loads((SERVICE / "openapi.json").read_text())
    more = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if path not in without["paths"]
    }
    assert more == {(method, path) for method, path, *_ in table("method with a queue")}


def test_a_job_is_its_tenants_alone(jobs: Jobs) -> None:
    jobs.invoice("ada@example.org")
    (job,) = ok(jobs.tenant.get("/v1/jobs"))["items"]
    other = jobs.tenant.database.add_tenant()
    problem(jobs.web.call("GET", f"/v1/jobs/{job['id']}", tenant=other), 404)
    problem(jobs.web.call("POST", f"/v1/jobs/{job['id']}/requeue", tenant=other), 404)
    assert ok(jobs.web.call("GET", "/v1/jobs", tenant=other))["total"] == 0


def test_pages_of_jobs_follow_each_other(jobs: Jobs) -> None:
    for number in range(3):
        jobs.invoice(f"{number}@example.org")
    first = ok(jobs.tenant.get("/v1/jobs", limit=2))
    second = ok(jobs.tenant.get("/v1/jobs", limit=2, cursor=first["next_cursor"]))
    assert [len(page["items"]) for page in (first, second)] == [2, 1]
    assert second["next_cursor"] is None


def test_a_send_that_is_killed_in_the_middle_leaves_both_or_neither(jobs: Jobs) -> None:
    """The web process dies while drafts are sent: who is sent has one mail, who is a draft has none."""
    customer = jobs.tenant.customer()
    drafts = [jobs.tenant.draft(customer) for _ in range(40)]
    stopped = threading.Event()

    def send_all() -> None:
        for draft in drafts:
            try:
                jobs.tenant.post(f"/v1/invoices/{draft['id']}/send", {"due_on": "2026-01-31"})
            except OSError:
                stopped.set()
                return

    with ExitStack() as stack:
        sender = threading.Thread(target=send_all)
        sender.start()
        stack.callback(sender.join)
        eventually(lambda: jobs.tenant.database.rows("SELECT FROM jobs OFFSET 5"), "some are sent")
        jobs.web.popen.kill()
    assert stopped.is_set()
    rows = jobs.tenant.database.rows(
        "SELECT invoices.status, count(jobs.id) AS mails"
        " FROM invoices LEFT JOIN jobs ON invoice_id = invoices.id GROUP BY invoices.id"
    )
    assert {(row["status"], row["mails"]) for row in rows} == {("sent", 1), ("draft", 0)}


def test_without_a_queue_a_worker_waits_to_be_stopped(base_env: Mapping[str, str]) -> None:
    with working(base_env, says="no queue") as worker:
        worker.terminate()
        assert worker.ended() == 0


def test_a_worker_that_cannot_read_its_queues_ends(jobs: Jobs, tmp_path: Path) -> None:
    tree = shutil.copytree(SERVICE, tmp_path / "service")
    (tree / "queues.toml").write_text("[mail]\nattempts = 'often'\n")
    ended = run(procfile()["worker"], jobs.env, tree)
    assert ended.code == 78
    assert "queues.toml can't be understood" in ended.message()


def test_a_worker_names_every_missing_variable(base_env: Mapping[str, str]) -> None:
    ended = run(procfile()["worker"], {**base_env, "QUEUE_URL": "redis://:hush@127.0.0.1:1/0"})
    assert ended.code == 78
    for name in ("DATABASE_URL", "CACHE_URL", "MAIL_URL", "PAYMENT_PROVIDER_URL"):
        assert name in ended.message()
