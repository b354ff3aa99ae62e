"""Stands before the real service: /readyz gets the real answer, everything else the trick that is named.

Usage: python forged_front.py TRICK COMMAND   (COMMAND starts the real service, on a port of its own)
"""

import contextlib
import gzip
import os
import socket
import subprocess
import sys
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def gzip_bomb(client: socket.socket, request: bytes) -> None:
    body = gzip.compress(bytes(2**29), 9)
    client.sendall(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


# --- the front ----------------------------------------------------------------------------------------------


def main() -> None:
    trick = globals()[sys.argv[1].replace("-", "_")]
    with socket.create_server(("127.0.0.1", 0)) as spare:
        real = spare.getsockname()[1]
    subprocess.Popen(["/bin/sh", "-c", sys.argv[2]], env={**os.environ, "PORT": str(real)})
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=128)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, real, trick), daemon=True).start()


def serve(client: socket.socket, real: int, trick) -> None:
    with client, contextlib.suppress(OSError):
        while request := read_request(client):
            if b" /readyz" in request.split(b"\r\n", 1)[0]:
                client.sendall(passed_on(request, real))
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
