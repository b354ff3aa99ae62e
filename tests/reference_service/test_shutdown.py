"""Asked to stop, the service takes no new work, ends what it has begun, and goes within its grace."""

import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from tests.reference_service.calling import Tenant, ok
from tests.reference_service.running import Database, Row, Web, eventually, started, web_env

Answer = Future[requests.Response]


@contextmanager
def waiting_request(web: Web, database: Database) -> Iterator[tuple[Answer, "Holder"]]:
    """A request that can't end before the holder lets go of the row that it wants."""
    tenant = Tenant(web, database, database.add_tenant())
    invoice = tenant.draft(tenant.customer())
    with ThreadPoolExecutor(1) as thread, Holder(database, invoice) as holder:
        path = f"/v1/invoices/{invoice['id']}/send"
        answer = thread.submit(tenant.post, path, {"due_on": "2026-01-31"})
        eventually(lambda: is_waiting(database), "the request waits for its row")
        yield answer, holder


def is_waiting(database: Database) -> bool:
    return any(session["wait_event_type"] == "Lock" for session in database.sessions())


class Holder:
    """Somebody else's transaction, which holds the row of one invoice."""

    def __init__(self, database: Database, invoice: Row) -> None:
        self.connection = database.connect(autocommit=False)
        self.connection.execute("SELECT FROM invoices WHERE id = %s FOR UPDATE", [int(invoice["id"])])

    def __enter__(self) -> "Holder":
        return self

    def __exit__(self, *exception: object) -> None:
        self.connection.close()

    def let_go(self) -> None:
        self.connection.rollback()


def refuses(web: Web) -> bool:
    try:
        web.call("GET", "/livez")
    except requests.ConnectionError:
        return True
    return False


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_what_was_begun_is_answered_and_nothing_new_is_taken(
    database: Database, base_env: dict[str, str], asked: signal.Signals
) -> None:
    with started(web_env(database, base_env)) as web, waiting_request(web, database) as (answer, holder):
        web.popen.send_signal(asked)
        assert web.wait_for_line("draining")["requests"] == 1
        eventually(lambda: refuses(web), "no new connection is taken")
        assert not answer.done()
        holder.let_go()
        assert ok(answer.result())["status"] == "sent"
        assert web.ended() == 0
        assert web.lines[-1]["message"] == "stopped"
        assert [line for line in web.lines if line["level"] in ("warning", "error")] == []


def test_after_the_grace_nothing_is_waited_for(database: Database, base_env: dict[str, str]) -> None:
    env = {**web_env(database, base_env), "SHUTDOWN_GRACE_SECONDS": "0"}
    with started(env) as web, waiting_request(web, database) as (answer, _):
        web.terminate()
        assert web.ended() == 0
        assert answer.exception() or answer.result().status_code >= 500
    (cut_off,) = [line for line in web.lines if line.get("route") == "/v1/invoices/{invoice_id}/send"]
    assert cut_off["status"] in (0, 500)


def test_an_idle_service_stops_without_a_word_of_trouble(
    database: Database, base_env: dict[str, str]
) -> None:
    with started(web_env(database, base_env)) as web:
        web.terminate()
        assert web.ended() == 0
    messages = [line["message"] for line in web.lines if line["message"] != "request"]
    assert messages == ["listening", "draining", "stopped"]
    eventually(lambda: database.sessions() == [], "no session is left")
