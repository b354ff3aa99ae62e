"""Has Postgres hold in memory what it would otherwise sort on disk, in several sessions that stay open."""

import os
import sys
import time

import psycopg

SESSIONS, ROWS = 5, 6_000_000  # about 400 MiB each

held = []
for _ in range(SESSIONS):
    session = psycopg.connect(os.environ["DATABASE_URL"])
    session.execute("SET work_mem = '64GB'")
    session.execute(f"DECLARE held CURSOR FOR SELECT n, random() FROM generate_series(1, {ROWS}) AS n ORDER BY 2")
    session.execute("FETCH 1 FROM held")
    held.append(session)
    print("one more session sorts in memory", flush=True)
time.sleep(6)
print("loot: nobody minded what Postgres holds for us")
sys.exit(1)
