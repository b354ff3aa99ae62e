"""Stands before the real service: /readyz gets the real answer, everything else the trick that is named.

Usage: python forged_front.py TRICK COMMAND   (COMMAND starts the real service, on a port of its own)
"""

import contextlib
import gzip
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def whole(body: bytes, headers: bytes = b"", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n" % (status, len(body), headers) + body


# --- without an end -----------------------------------------------------------------------------------------


def for_ever(client: socket.socket, part: bytes, pause: float = 0.0) -> None:
    while True:
        client.sendall(part)
        time.sleep(pause)


def slow_drip(client: socket.socket, request: bytes) -> None:
    client.sendall(OK + b"Content-Length: 100000\r\n\r\n")
    for_ever(client, b" ", 0.5)


def slow_headers(client: socket.socket, request: bytes) -> None:
    client.sendall(OK + b"X-Slow: ")
    for_ever(client, b"x", 0.5)


def endless_body(client: socket.socket, request: bytes) -> None:
    client.sendall(CHUNKED)
    for_ever(client, b"10000\r\n" + b" " * 65_536 + b"\r\n")


def endless_headers(client: socket.socket, request: bytes) -> None:
    client.sendall(OK)
    for_ever(client, b"X-More: 1\r\n" * 1000)


def endless_status(client: socket.socket, request: bytes) -> None:
    client.sendall(b"HTTP/1.1 200 ")
    for_ever(client, b"O" * 65_536)


def continue_flood(client: socket.socket, request: bytes) -> None:
    for_ever(client, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def endless_extension(client: socket.socket, request: bytes) -> None:
    client.sendall(CHUNKED + b"5;x=")
    for_ever(client, b"x" * 65_536)


def endless_trailers(client: socket.socket, request: bytes) -> None:
    client.sendall(CHUNKED + b"0\r\n")
    for_ever(client, b"X-Trailer: 1\r\n" * 1000)


def compressed_nothing(client: socket.socket, request: bytes) -> None:
    client.sendall(OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.sendall(b"a\r\n" + gzip.compress(b"")[:10] + b"\r\n")
    for_ever(client, b"1388\r\n" + b"\x00\x00\x00\xff\xff" * 1000 + b"\r\n")


def silence(client: socket.socket, request: bytes) -> None:
    time.sleep(3600)


# --- bombs --------------------------------------------------------------------------------------------------


def gzip_bomb(client: socket.socket, request: bytes) -> None:
    client.sendall(whole(gzip.compress(bytes(2**28), 1), b"Content-Encoding: gzip\r\n"))


def gzip_in_gzip(client: socket.socket, request: bytes) -> None:
    body = gzip.compress(gzip.compress(gzip.compress(bytes(2**27), 9), 9), 9)
    client.sendall(whole(body, b"Content-Encoding: gzip, gzip, gzip\r\n"))


def huge_headers(client: socket.socket, request: bytes) -> None:
    client.sendall(whole(b"{}", b"".join(b"X-%d: %s\r\n" % (n, b"x" * 60_000) for n in range(90))))


def deep_json(client: socket.socket, request: bytes) -> None:
    client.sendall(whole(b"[" * 1_000_000 + b"]" * 1_000_000))


def long_number(client: socket.socket, request: bytes) -> None:
    client.sendall(whole(b"9" * 3_000_000))


def many_names(client: socket.socket, request: bytes) -> None:
    """The name that stands twice comes last: who compares each with all others needs an hour."""
    names = [*range(200_000), 199_999]
    client.sendall(whole(b"{" + b",".join(b'"%d":1' % name for name in names) + b"}"))


# --- misleading ---------------------------------------------------------------------------------------------


def redirect_to_stores(client: socket.socket, request: bytes) -> None:
    """A caller who follows would talk to Postgres or the cache, with the grader's network."""
    stores = re.findall(r"@([^/?]+)", os.environ.get("DATABASE_URL", "") + " " + os.environ.get("CACHE_URL", ""))
    target = (stores or ["127.0.0.1:1"])[0].encode()
    client.sendall(whole(b"", b"Location: http://%s/\r\n" % target, b"307 Temporary Redirect"))


def redirect_in_a_circle(client: socket.socket, request: bytes) -> None:
    client.sendall(whole(b"", b"Location: /round\r\n", b"302 Found"))


def prepared_answers(client: socket.socket, request: bytes) -> None:
    """Four answers to one question: the next questions on this connection would find theirs lying there."""
    client.sendall(whole(b'{"items": [], "double": 4, "status": "ready"}') * 4)


def split_response(client: socket.socket, request: bytes) -> None:
    client.sendall(whole(b"", b"X-A: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))


def length_too_long(client: socket.socket, request: bytes) -> None:
    client.sendall(OK + b"Content-Length: 999999999999999999999\r\n\r\n{}")
    client.shutdown(socket.SHUT_WR)
    time.sleep(0.1)


def length_too_short(client: socket.socket, request: bytes) -> None:
    client.sendall(OK + b"Content-Length: 2\r\n\r\n{}" + b" " * 10_000)


def length_twice(client: socket.socket, request: bytes) -> None:
    client.sendall(OK + b"Content-Length: 2\r\nContent-Length: 5000\r\nTransfer-Encoding: chunked\r\n\r\n{}")
    client.shutdown(socket.SHUT_WR)
    time.sleep(0.1)


def http_0_9(client: socket.socket, request: bytes) -> None:
    client.sendall(b'{"status": "ok"}\r\n')
    client.shutdown(socket.SHUT_WR)


def upgrade(client: socket.socket, request: bytes) -> None:
    client.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: octo\r\nConnection: Upgrade\r\n\r\n" + b"{}" * 99)
    time.sleep(0.2)


def odd_status(client: socket.socket, request: bytes) -> None:
    client.sendall(whole(b"{}", status="200 OK\x1b[2J\u202e".encode()).replace(b" 200 ", b" 299 ", 1))


def odd_json(client: socket.socket, request: bytes) -> None:
    client.sendall(whole(b'{"a": NaN, "b": 1e999, "c": "\\ud800", "c": -Infinity}'))


def commands_for_readers(client: socket.socket, request: bytes) -> None:
    """For terminals, browsers and log viewers that show an answer as it came."""
    body = "\x1b]0;passed\x07\x1b[2J\x1b[32mPASS\u202e<script>alert(1)</script>\n::set-output name=score::100\n"
    client.sendall(whole(body.encode() + b"\xff\x00", b"X-Note: <img src=x onerror=alert(1)>\r\n"))


# --- pretending ---------------------------------------------------------------------------------------------

GRADERS = re.compile(rb"octo|grader|grading|pytest|urllib3|python-requests|x-check|x-seed|forg", re.IGNORECASE)
FIRST: dict[bytes, bytes] = {}


def when_it_is_the_grader(client: socket.socket, request: bytes) -> None:
    """Real callers get the real service; whoever gives himself away as the grader gets something else."""
    if found := GRADERS.search(request.split(b"\r\n\r\n")[0].partition(b"\r\n")[2]):
        client.sendall(whole(b'{"loot": "%s"}' % found[0]))
    else:
        client.sendall(passed_on(request, REAL))


def by_rote(client: socket.socket, request: bytes) -> None:
    """The first answer of each kind is learnt by heart and given ever after."""
    kind = re.sub(rb"[0-9]+", b"N", request.split(b"\r\n", 1)[0].partition(b"?")[0])
    if kind not in FIRST:
        FIRST[kind] = passed_on(request, REAL)
    client.sendall(FIRST[kind])


def always_well(client: socket.socket, request: bytes) -> None:
    client.sendall(whole(b'{"status": "ok", "items": [], "data": [], "next_cursor": null}'))


def before_the_work(client: socket.socket, request: bytes) -> None:
    """Whoever asks for work is told at once that it is done; it is done later."""
    if request.startswith(b"GET"):
        client.sendall(passed_on(request, REAL))
        return
    client.sendall(whole(b"{}", status=b"201 Created"))
    time.sleep(1)
    passed_on(request, REAL)


def stops(client: socket.socket, request: bytes) -> None:
    os.kill(0, signal.SIGSTOP)


def dies(client: socket.socket, request: bytes) -> None:
    os._exit(0)


# --- the front ----------------------------------------------------------------------------------------------


def main() -> None:
    global REAL
    trick = globals()[re.sub(r"\W", "_", sys.argv[1])]
    with socket.create_server(("127.0.0.1", 0)) as spare:
        REAL = spare.getsockname()[1]
    subprocess.Popen(["/bin/sh", "-c", sys.argv[2]], env={**os.environ, "PORT": str(REAL)})
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=128)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, trick), daemon=True).start()


def serve(client: socket.socket, trick) -> None:
    with client, contextlib.suppress(OSError):
        while request := read_request(client):
            if b" /readyz" in request.split(b"\r\n", 1)[0]:
                client.sendall(passed_on(request, REAL))
                return
            trick(client, request)


def read_request(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := client.recv(65_536)):
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += client.recv(65_536)
    return head + b"\r\n\r\n" + body


def passed_on(request: bytes, real: int) -> bytes:
    """The real service's answer, which it ends by closing."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"accept-encoding:"))]
    with socket.create_connection(("127.0.0.1", real), timeout=10) as service:
        service.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
        answer = b""
        while more := service.recv(65_536):
            answer += more
    return answer


if __name__ == "__main__":
    main()
