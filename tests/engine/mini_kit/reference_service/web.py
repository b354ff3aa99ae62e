"""A service small enough that a grade of it takes a second: it doubles numbers."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def double(number: int) -> int:
    return number * 2


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/readyz":
            return self.answer({"status": "ready"})
        return self.answer({"double": double(int(self.path.rpartition("/")[2]))})

    def answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
