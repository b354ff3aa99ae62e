"""What a real server holds and is sent is told as it is, by whoever it was sent."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from compose.embedded import start
from compose.places import run_directory
from compose.stores import RedisServer, StoreName
from graders.probes.redis_store import RedisStore

WANTED: frozenset[StoreName] = frozenset({"queue"})


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with run_directory() as run, start(WANTED, None, run.path, record=run.record) as stores:
        assert stores.queue
        yield stores.queue


@pytest.fixture
def store(server: RedisServer) -> Iterator[RedisStore]:
    store = RedisStore(server)
    store.forget()
    yield store
    store.close()


@pytest.fixture
def service(server: RedisServer) -> Iterator[Any]:
    with redis.Redis.from_url(server.url(), protocol=2) as client:
        yield client


def test_keys_and_how_long_they_live(store: RedisStore, service: Any) -> None:
    service.set("short", 1, ex=50)
    service.set("for-ever", 1)
    assert store.keys() == ("for-ever", "short")
    assert store.lasting() == ("for-ever",)
    assert 0 < store.longest_ttl() <= 50


def test_depth_counts_whatever_kind_of_queue_it_is(store: RedisStore, service: Any) -> None:
    service.rpush("list", 1, 2, 3)
    service.xadd("stream", {"a": 1})
    service.zadd("delayed", {"a": 1, "b": 2})
    service.set("text", "x")
    assert store.depth() == 6


def test_pending_entries_are_those_in_somebodys_hands(store: RedisStore, service: Any) -> None:
    for number in range(3):
        service.xadd("stream", {"a": number})
    service.xgroup_create("stream", "workers", "0")
    ((_, entries),) = service.xreadgroup("workers", "me", {"stream": ">"}, count=2)
    assert store.pending() == 2
    service.xack("stream", "workers", entries[0][0])
    assert store.pending() == 1


def test_every_command_is_told_also_those_of_scripts(store: RedisStore, service: Any) -> None:
    service.get("before")
    with store.observe() as seen:
        service.get("customer:7")
        service.eval("return redis.call('SET', KEYS[1], '1')", 1, "in-script")
        service.get("customer:8")
    service.get("after")
    assert [command.name for command in seen.about("customer")] == ["GET", "GET"]
    assert [(each.name, each.from_script) for each in seen.about("in-script")] == [
        ("EVAL", False),
        ("SET", True),
    ]
    assert not seen.about("before")
    assert not seen.about("after")


def test_clients_are_those_of_others(store: RedisStore, service: Any) -> None:
    service.ping()
    assert store.clients() == 1


def test_what_a_stream_holds_is_delivered_again(store: RedisStore, service: Any) -> None:
    service.xgroup_create("jobs", "workers", mkstream=True)
    service.xadd("jobs", {"job": "7"})
    service.xreadgroup("workers", "a", {"jobs": ">"})
    assert store.undelivered() == 0
    assert store.deliver_again() == 1
    assert store.undelivered() == 1
    [(_, [(_, fields)])] = service.xreadgroup("workers", "b", {"jobs": ">"})
    assert fields == {b"job": b"7"}
