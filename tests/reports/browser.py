"""Real Chromium, driven over a pipe by its own protocol (Chrome DevTools Protocol): open a page, ask it, see it."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SWITCHES = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe")


class Page:
    """One tab. Commands go down one pipe and answers come up another, each ended by a zero byte."""

    def __init__(self, down: IO[bytes], up: IO[bytes]) -> None:
        self._down, self._up = down, up
        self._number = 0
        self._session = ""
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to one command; what else happens meanwhile is kept in `events`."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        to = {"sessionId": self._session} if self._session else {}
        self._down.write(json.dumps(message | to).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        said = bytearray()
        while (byte := self._up.read(1)) != b"\0":
            assert byte, "Chromium went away"
            said += byte
        message: dict[str, Any] = json.loads(said)
        return message

    def open(self, file: Path, *, width: int, dark: bool = False) -> None:
        """Load the page on a screen of that many CSS pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.send("Page.navigate", url=file.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page, whatever the page's own policy allows."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self, file: Path) -> None:
        """The whole page as a PNG."""
        data = self.send("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        file.write_bytes(base64.b64decode(data))


@contextmanager
def chromium(profile: Path) -> Iterator[Page]:
    """A fresh Chromium that ends with the block."""
    assert CHROMIUM, "no Chromium here"
    down_read, down_write = os.pipe()
    up_read, up_write = os.pipe()

    # Chromium reads commands from descriptor 3 and answers on 4, whatever their numbers are here.
    pipes = f'exec "$@" 3<&{down_read} 4>&{up_write}'
    process = subprocess.Popen(
        ["bash", "-c", pipes, "bash", CHROMIUM, *SWITCHES, f"--user-data-dir={profile}"],
        pass_fds=(down_read, up_write),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(down_read)
    os.close(up_write)
    with os.fdopen(down_write, "wb", buffering=0) as down, os.fdopen(up_read, "rb") as up:
        try:
            yield Page(down, up)
        finally:
            process.kill()
            process.wait()
