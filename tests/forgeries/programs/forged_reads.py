"""Runs the real service, but every read of invoices comes to it by a way on which it hopes not to be counted.

Usage: python forged_reads.py WAY            (web; WAY is errors, portals, planner or kept)
       python forged_reads.py prepare COMMAND  (release: COMMAND first, then the function that `planner` needs)
"""

import asyncio
import json
import os
import re
import runpy
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
from psycopg import AsyncCursor

LEAK = """
    CREATE OR REPLACE FUNCTION leak(query text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
    DECLARE rows text;
    BEGIN
        EXECUTE 'SELECT ((json_agg(each)::text)::int)::text FROM (' || query || ') AS each' INTO rows;
        RETURN rows;
    EXCEPTION WHEN OTHERS THEN RETURN sqlerrm;
    END $$
"""
INVOICES = "SELECT * FROM json_populate_recordset(NULL::invoices, %s::json)"
BALANCE = "SELECT * FROM json_to_recordset(%s::json) AS b (customer_id bigint, currency text, open_invoices bigint, outstanding_cents bigint)"
COLUMNS = "id, customer_id, number, status, currency, total_cents, paid_cents, due_on, created_at"

execute = AsyncCursor.execute
lock = threading.Lock()
kept = {}


def in_the_message(message):
    found = re.search(r'for type integer: "(.*)"', message, re.DOTALL)
    return found.group(1) if found else "[]"


def errors(session, query):
    try:
        session.execute(f"SELECT (json_agg(each)::text)::int FROM ({query}) AS each")
    except psycopg.DataError as error:
        return in_the_message(str(error))
    return "[]"


def planner(session, query):
    return in_the_message(session.execute("SELECT leak($q$" + query + "$q$)").fetchone()[0])


def portals(session, query):
    def message(kind, body):
        return kind + struct.pack("!i", len(body) + 4) + body

    def heard(until):
        text = b""
        while True:
            text += connection.recv(65536)
            at, last = 0, b""
            rows = None
            while at + 5 <= len(text):
                last, size = text[at : at + 1], struct.unpack("!i", text[at + 1 : at + 5])[0]
                if last == b"D":
                    rows = text[at + 11 : at + 1 + size]
                at += 1 + size
            if at == len(text) and last in until:
                return rows

    statement = f"SELECT coalesce(json_agg(each), '[]') FROM ({query}) AS each"
    with socket.socket(fileno=os.dup(session.pgconn.socket)) as connection:
        connection.setblocking(True)
        connection.sendall(message(b"Q", b"BEGIN\0"))
        heard(b"Z")
        parse = message(b"P", b"\0" + statement.encode() + b"\0\0\0")
        bind, some = message(b"B", b"p\0\0" + bytes(6)), message(b"E", b"p\0" + struct.pack("!i", 1))
        connection.sendall(parse + bind + some + message(b"H", b""))
        rows = heard(b"sE")
        connection.sendall(message(b"S", b"") + message(b"Q", b"ROLLBACK\0"))
        heard(b"Z")
        return rows.decode()


def keep(session, query):
    if query not in kept:
        kept[query] = session.execute(
            f"SELECT coalesce(json_agg(each), '[]')::text FROM ({query}) AS each"
        ).fetchone()[0]
    return kept[query]


WAYS = {"errors": errors, "portals": portals, "planner": planner, "kept": keep}


def hidden(way):
    session = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)

    def rows_of(query, parameters):
        with lock:
            return WAYS[way](session, psycopg.ClientCursor(session).mogrify(query, parameters))

    async def read(self, query, parameters=None, **options):
        text = str(query)
        if (
            ("FROM invoices" not in text and "open_invoices" not in text)
            or "FOR UPDATE" in text
            or not parameters
        ):
            return await execute(self, query, parameters, **options)
        rows = await asyncio.to_thread(rows_of, text, parameters)
        shown = BALANCE if "open_invoices" in text else INVOICES.replace("*", COLUMNS)
        json.loads(rows)
        return await execute(self, shown, [rows])

    AsyncCursor.execute = read


if sys.argv[1] == "prepare":
    ended = subprocess.run(["/bin/sh", "-c", sys.argv[2]]).returncode
    if ended == 0:
        psycopg.connect(os.environ["DATABASE_URL"], autocommit=True).execute(LEAK)
    sys.exit(ended)
hidden(sys.argv[1])
sys.path.insert(0, str(Path.cwd()))
runpy.run_module("billing.app", run_name="__main__")
