"""What the service may do in the cache and the queue: all that an application needs, and nothing of an administrator's."""

# mypy: disable-error-code="no-untyped-call"
# redis-py has types for half of its functions.

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from compose.stores import RedisServer
from tests.compose.conftest import stores

ONCE = Retry(NoBackoff(), 0)


@pytest.fixture(scope="module", params=["cache", "queue"])
def server(request: pytest.FixtureRequest, shared_cache: Path) -> Iterator[RedisServer]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("OCTO_LAB_CACHE", str(shared_cache))
        with stores(frozenset({request.param})) as up:
            yield getattr(up, request.param)


@pytest.fixture
def service(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url(), decode_responses=True) as client:
        yield client


@pytest.fixture
def grader(server: RedisServer) -> Iterator[redis.Redis]:
    login = server.grader
    with redis.Redis(port=server.port, username=login.user, password=login.password) as client:
        yield client


@pytest.mark.parametrize(
    "command",
    [
        "SHUTDOWN NOSAVE",
        "CONFIG SET maxmemory 0",
        "CONFIG SET dir /tmp",
        "CONFIG REWRITE",
        "CONFIG RESETSTAT",
        "DEBUG SLEEP 1",
        "MODULE LOAD /tmp/mine.so",
        "MODULE LIST",
        "ACL SETUSER default +@all",
        "ACL SETUSER octo_grader off",
        "ACL LIST",
        "ACL GETUSER octo_grader",
        "AUTH octo_grader guess",
        "REPLICAOF 127.0.0.1 1",
        "SLAVEOF 127.0.0.1 1",
        "FAILOVER",
        "MIGRATE 127.0.0.1 1 key 0 1000",
        "RESTORE key 0 payload",
        "PSYNC ? -1",
        "MONITOR",
        "SLOWLOG GET",
        "LATENCY RESET",
        "CLIENT KILL TYPE normal",
        "CLIENT PAUSE 60000",
        "CLIENT UNBLOCK 1",
        "CLIENT NO-EVICT on",
        "SAVE",
        "BGSAVE",
        "BGREWRITEAOF",
    ],
)
def test_the_service_administers_nothing(service: redis.Redis, command: str) -> None:
    with pytest.raises((redis.ResponseError, redis.AuthenticationError)):
        service.execute_command(*command.split())


@pytest.mark.parametrize("call", ["'CONFIG', 'SET', 'maxmemory', '0'", "'SHUTDOWN'", "'ACL', 'SETUSER', 'x'"])
def test_nor_does_a_script_of_its(service: redis.Redis, call: str) -> None:
    with pytest.raises(redis.ResponseError):
        service.eval(f"return redis.call({call})", 0)


def test_what_applications_and_job_libraries_need_is_there(service: redis.Redis) -> None:
    service.flushall()
    with service.lock("lock", timeout=5):
        assert service.exists("lock")
    with service.pipeline(transaction=True) as both:
        both.watch("seen")
        both.multi()
        both.lpush("jobs", "one")
        both.expire("jobs", 60)
        assert both.execute() == [1, True]
    assert service.blmove("jobs", "taken", 1) == "one"
    assert service.register_script("return redis.call('LLEN', KEYS[1])")(keys=["taken"]) == 1
    service.xadd("stream", {"job": "two"})
    service.xgroup_create("stream", "workers", "0")
    assert service.xreadgroup("workers", "me", {"stream": ">"})
    with service.pubsub() as listening:
        listening.psubscribe("all:*")
        assert service.publish("all:jobs", "done") == 1
    assert service.zadd("scheduled", {"job": 1}) == 1
    assert list(service.scan_iter("sch*")) == service.keys("sch*") == ["scheduled"]
    assert service.sort("taken", alpha=True) == ["one"]
    assert "redis_version" in service.info()
    assert service.config_get("maxmemory-policy")
    service.client_setname("worker:1")
    assert [each["name"] for each in service.client_list() if each["name"]] == ["worker:1"]
    assert service.role()[0] == "master"
    assert service.memory_usage("stream")
    service.flushdb()
    assert service.dbsize() == 0


def test_the_grader_may_look_at_everything(grader: redis.Redis, service: redis.Redis) -> None:
    service.set("key", "value")
    assert grader.get("key") == b"value"
    assert len(grader.acl_list()) == 2
    assert grader.config_set("maxmemory-samples", 5)


def test_only_the_two_users_are_let_in(server: RedisServer) -> None:
    for user, password in (
        (None, None),
        ("default", ""),
        ("default", "guess"),
        ("octo_grader", server.password),
    ):
        with (
            redis.Redis(port=server.port, username=user, password=password, retry=ONCE) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()


def test_memory_has_a_bound(service: redis.Redis) -> None:
    """The cache forgets; the queue, which may not, refuses."""
    value = "x" * (5 * 1024 * 1024)
    refused = 0
    for n in range(70):
        try:
            service.set(f"large:{n}", value)
        except redis.OutOfMemoryError:
            refused += 1
    assert int(service.info("memory")["used_memory"]) < 300 * 1024 * 1024
    assert bool(refused) == (service.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction")
    service.flushall()


def test_an_answer_that_nobody_fetches_has_a_bound(service: redis.Redis, grader: redis.Redis) -> None:
    service.set("large", "x" * (10 * 1024 * 1024))
    greedy = service.connection_pool.get_connection()
    asked = b"*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n" * 100
    greedy.send_packed_command([asked])
    while int(grader.info("clients")["connected_clients"]) > 2:
        assert int(grader.info("memory")["used_memory"]) < 250 * 1024 * 1024
    greedy.disconnect()
    assert service.ping()
    service.flushall()
