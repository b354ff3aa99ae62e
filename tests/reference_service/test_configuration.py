"""A process starts with a valid configuration or names every fault; variables do what the table says."""

import re

import pytest

from tests.reference_service.running import Database, free_port, procfile, run, started, web_env
from tests.reference_service.test_contract_tables import table

VARIABLES = {name: (read_by, needed) for name, read_by, needed, *_ in table("variable")}
BAD = {
    "PORT": ["0", "65536", "8.5", "٣"],
    "DATABASE_URL": ["postgresql://", "mysql://a:hush@b/c", "postgresql://a:hush@b", "//[hush"],
    "IDENTITY": ["nobody", "gateway,tokens"],
    "LOG_LEVEL": ["loud"],
    "SHUTDOWN_GRACE_SECONDS": ["-1", "1.5", "3601", "soon"],
}
GOOD = {
    "PORT": "8080",
    "IDENTITY": "gateway",
    "DATABASE_URL": "postgresql://billing_app:hush@127.0.0.1:1/billing",
}


TOKENS = {
    "IDENTITY": "tokens",
    "TOKEN_ISSUER": "https://id.example",
    "TOKEN_AUDIENCE": "https://billing.example",
    "JWKS_URL": "https://id.example/keys",
}
BAD_WITH_TOKENS = {
    "JWKS_URL": ["id.example/keys", "file:///hush", "https://", "https://[hush/keys"],
    "JWKS_MAX_AGE_SECONDS": ["0", "soon", "86401"],
}


QUEUE = {
    "QUEUE_URL": "redis://:hush@127.0.0.1:1/0",
    "CACHE_URL": "redis://:hush@127.0.0.1:2/0",
    "MAIL_URL": "http://mail.example",
    "PAYMENT_PROVIDER_URL": "https://pay.example/v1",
}
BAD_WITH_A_QUEUE = {
    "QUEUE_URL": ["hush", "http://hush", "redis://hush"],
    "CACHE_URL": ["redis://", "postgresql://a:hush@b/c"],
    "QUEUE_LIMIT": ["0", "many"],
    "SUMMARY_MAX_AGE_SECONDS": ["0", "3601"],
    "MAIL_URL": ["mail.example", "smtp://hush"],
    "PAYMENT_PROVIDER_URL": ["https://", "https://[hush"],
    "UPSTREAM_TIMEOUT_MS": ["99", "1.5"],
    "RETRY_BASE_MS": ["9", "soon"],
    "JOB_LEASE_SECONDS": ["0", "3601"],
}


TELEMETRY = {"TELEMETRY": "on"}
BAD_WITH_TELEMETRY = {"TELEMETRY": ["yes", "1"], "VERSION": ["a b", "hush" * 17]}


def faults_of(process: str, env: dict[str, str]) -> list[str]:
    """The variables that the process names when it refuses to start."""
    ended = run(procfile()[process], env)
    assert ended.code == 78
    (line,) = ended.lines
    assert line["level"] == "error"
    named = [word for word in re.findall(r"\w+", line["message"]) if word in VARIABLES]
    assert len(line["faults"]) == len(named)
    assert "hush" not in str(line)
    return named


@pytest.mark.parametrize("process", ["release", "web"])
def test_every_missing_variable_is_named_at_once(process: str, base_env: dict[str, str]) -> None:
    wanted = [name for name, (read_by, needed) in VARIABLES.items() if process in read_by and needed == "yes"]
    assert faults_of(process, base_env) == wanted
    assert faults_of(process, {**base_env, **dict.fromkeys(wanted, " ")}) == wanted


def test_every_bad_value_is_named_at_once(base_env: dict[str, str]) -> None:
    for turn in range(max(map(len, BAD.values()))):
        bad = {name: values[turn % len(values)] for name, values in BAD.items()}
        assert sorted(faults_of("web", {**base_env, **bad})) == sorted(BAD)


def test_tokens_want_more_to_be_said(base_env: dict[str, str]) -> None:
    wanted = [name for name, (_, needed) in VARIABLES.items() if needed == "with `tokens"]
    assert faults_of("web", {**base_env, **GOOD, "IDENTITY": "tokens"}) == wanted
    assert sorted({*wanted, "IDENTITY"}) == sorted(TOKENS)


def test_every_bad_value_is_named_with_tokens(base_env: dict[str, str]) -> None:
    for turn in range(max(map(len, BAD_WITH_TOKENS.values()))):
        bad = {name: values[turn % len(values)] for name, values in BAD_WITH_TOKENS.items()}
        assert sorted(faults_of("web", {**base_env, **GOOD, **TOKENS, **bad})) == sorted(bad)


@pytest.mark.parametrize("process", ["web", "worker"])
def test_a_queue_wants_more_to_be_said(process: str, base_env: dict[str, str]) -> None:
    wanted = [name for name, (by, needed) in VARIABLES.items() if process in by and needed == "with a queue"]
    env = {**base_env, **GOOD, "QUEUE_URL": QUEUE["QUEUE_URL"]}
    assert faults_of(process, env) == wanted


@pytest.mark.parametrize("process", ["web", "worker"])
def test_every_bad_value_is_named_with_a_queue(process: str, base_env: dict[str, str]) -> None:
    for turn in range(max(map(len, BAD_WITH_A_QUEUE.values()))):
        read = {name: values for name, values in BAD_WITH_A_QUEUE.items() if process in VARIABLES[name][0]}
        bad = {name: values[turn % len(values)] for name, values in read.items()}
        assert sorted(faults_of(process, {**base_env, **GOOD, **QUEUE, **bad})) == sorted(bad)


def test_without_a_queue_nobody_minds_what_is_said_of_one(
    database: Database, base_env: dict[str, str]
) -> None:
    bad = {name: values[0] for name, values in BAD_WITH_A_QUEUE.items() if name != "QUEUE_URL"}
    with started({**web_env(database, base_env), **bad}) as web:
        assert web.call("GET", "/v1/jobs", tenant=1).status_code == 404


def test_only_one_bad_value_is_named_alone(base_env: dict[str, str]) -> None:
    assert faults_of("web", {**base_env, **GOOD, "LOG_LEVEL": "loud"}) == ["LOG_LEVEL"]


def test_every_variable_of_the_table_is_tried() -> None:
    assert set(VARIABLES) == {
        *BAD,
        *BAD_WITH_TOKENS,
        *TOKENS,
        *BAD_WITH_A_QUEUE,
        *QUEUE,
        *BAD_WITH_TELEMETRY,
        "HOST",
    }


def test_a_worker_that_tells_of_itself_needs_a_port(base_env: dict[str, str]) -> None:
    env = {**base_env, **GOOD, **QUEUE, **TELEMETRY, "PORT": ""}
    assert faults_of("worker", env) == ["PORT"]


@pytest.mark.parametrize("process", ["web", "worker"])
def test_every_bad_value_of_telemetry_is_named(process: str, base_env: dict[str, str]) -> None:
    for turn in range(2):
        bad = {name: values[turn] for name, values in BAD_WITH_TELEMETRY.items()}
        assert sorted(faults_of(process, {**base_env, **GOOD, **QUEUE, **bad})) == sorted(bad)


def test_host_is_where_it_listens(database: Database, base_env: dict[str, str]) -> None:
    env = {**web_env(database, base_env), "HOST": "0.0.0.0"}
    with started(env) as web:
        assert web.wait_for_line("listening")["addresses"] == [["0.0.0.0", int(env["PORT"])]]


def test_log_level_silences_what_is_below(database: Database, base_env: dict[str, str]) -> None:
    with started({**web_env(database, base_env), "LOG_LEVEL": "Warning"}) as web:
        web.terminate()
        assert web.ended() == 0
    assert web.lines == []


def test_postgres_that_is_away_ends_the_release(base_env: dict[str, str]) -> None:
    env = {**base_env, "DATABASE_URL": f"postgresql://a:hush@127.0.0.1:{free_port()}/billing"}
    ended = run(procfile()["release"], env)
    assert ended.code == 69
    assert "hush" not in str(ended.lines)


def test_a_port_that_is_taken_ends_the_web(database: Database, base_env: dict[str, str]) -> None:
    env = web_env(database, base_env)
    with started(env):
        ended = run(procfile()["web"], env)
    assert ended.code == 69
    assert env["PORT"] in ended.message()
