"""A headless Chromium driven over the DevTools protocol through a pipe: the standard library is all it needs."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio", "--no-first-run",
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-extensions", "--disable-sync", "--disable-breakpad",
    "--force-color-profile=srgb", "--remote-debugging-pipe",
)  # fmt: skip


def find_chromium() -> str | None:
    """Return the browser: from SODIOPHILE_CHROMIUM, or by its usual names; None if there is none."""
    given = os.environ.get("SODIOPHILE_CHROMIUM")
    return given or next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One browser process; use as a context."""

    def __init__(self, binary: str, webgl: bool = True) -> None:
        self._home = tempfile.mkdtemp(prefix="sodiophile-chromium-")
        flags = [*_FLAGS, f"--user-data-dir={self._home}/profile"]
        if not webgl:
            flags += ["--disable-3d-apis"]
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        # Chromium reads commands at 3 and answers at 4; copies far away keep the two moves from treading on each other
        high = [fcntl.fcntl(number, fcntl.F_DUPFD, 20) for number in (to_read, to_write)]
        null = os.open(os.devnull, os.O_RDWR)
        actions = [
            (os.POSIX_SPAWN_DUP2, null, 0),
            (os.POSIX_SPAWN_DUP2, null, 1),
            (os.POSIX_SPAWN_DUP2, null, 2),
            (os.POSIX_SPAWN_DUP2, high[0], 3),
            (os.POSIX_SPAWN_DUP2, high[1], 4),
            *((os.POSIX_SPAWN_CLOSE, number) for number in high),
        ]
        self._pid = os.posix_spawn(
            binary, [binary, *flags], {**os.environ, "HOME": self._home}, file_actions=actions, setpgroup=0
        )
        for number in (to_read, to_write, null, *high):
            os.close(number)
        self._buffer = b""
        self._count = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._to)
        os.close(self._from)
        for kind in (signal.SIGTERM, signal.SIGKILL):
            if self._gone(3):
                break
            os.killpg(self._pid, kind)
        else:
            self._gone(3)
        shutil.rmtree(self._home, ignore_errors=True)

    def _gone(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if os.waitpid(self._pid, os.WNOHANG)[0]:
                return True
            time.sleep(0.05)
        return False

    def _read(self, seconds: float) -> dict[str, Any] | None:
        end = time.monotonic() + seconds
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._from], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                return None
            chunk = os.read(self._from, 1 << 20)
            if not chunk:
                raise RuntimeError("the browser closed its pipe")
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method: str, session: str | None = None, seconds: float = 60, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its answer; events that come meanwhile are kept."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + seconds
        while (answer := self._read(end - time.monotonic())) is not None:
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)
        raise TimeoutError(f"{method}: no answer within {seconds} s")

    def listen(self, seconds: float) -> None:
        """Collect events for a while."""
        end = time.monotonic() + seconds
        while (event := self._read(end - time.monotonic())) is not None:
            self.events.append(event)

    def open(self, path: Path, width: int = 1280, height: int = 900) -> Page:
        """Open a file in a new page and wait until it is loaded."""
        return Page(self, path, width, height)


class Page:
    """One page of the browser, with all that it asked of the network and wrote to the console."""

    def __init__(self, browser: Browser, path: Path, width: int, height: int) -> None:
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.address = path.resolve().as_uri()
        self.resize(width, height)
        self.call("Page.navigate", url=self.address)
        self.wait_for("document.readyState === 'complete'")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol on this page."""
        return self.browser.call(method, self.session, **parameters)

    def resize(self, width: int, height: int) -> None:
        """Give the page another width and height, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:600])
        return answer["result"].get("value")

    def wait_for(self, condition: str, seconds: float = 30) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            if time.monotonic() > end:
                raise TimeoutError(f"still false after {seconds} s: {condition}")
            self.browser.listen(0.05)

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """Send one mouse event."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def drag(self, start: tuple[float, float], by: tuple[float, float]) -> None:
        """Drag the mouse with its left button down."""
        (x, y), (dx, dy) = start, by
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        for step in range(1, 6):
            self.mouse("mouseMoved", x + dx * step / 5, y + dy * step / 5, button="left", buttons=1)
        self.mouse("mouseReleased", x + dx, y + dy, button="left", clickCount=1)
        self.browser.listen(0.2)

    def picture(self, clip: dict[str, float] | None = None, full: bool = False) -> bytes:
        """Return a PNG of the window, or of a part of it; with `full`, of a part of the whole page."""
        more: dict[str, Any] = {}
        if clip:
            left, top = (0, 0) if full else self.run("[scrollX, scrollY]")
            more["clip"] = {**clip, "x": clip["x"] + left, "y": clip["y"] + top, "scale": 1}
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=full, **more)["data"])

    def whole(self) -> bytes:
        """Return a PNG of the whole page."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return self.picture({"x": 0, "y": 0, "width": size["width"], "height": size["height"]}, full=True)

    def pdf(self) -> bytes:
        """Print the page."""
        answer = self.call("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        return base64.b64decode(answer["data"])

    def _events(self, method: str) -> list[dict[str, Any]]:
        self.browser.listen(0.1)
        mine = [event for event in self.browser.events if event.get("sessionId") == self.session]
        return [event["params"] for event in mine if event.get("method") == method]

    def requests(self) -> list[str]:
        """Return every address that was asked for, but the page itself and data within it."""
        asked = [event["request"]["url"] for event in self._events("Network.requestWillBeSent")]
        return [address for address in asked if address != self.address and not address.startswith("data:")]

    def complaints(self) -> list[str]:
        """Return every error or warning of the console, every exception and every breach of the page's policy."""
        console = [
            json.dumps(event["args"])[:400]
            for event in self._events("Runtime.consoleAPICalled")
            if event["type"] in {"error", "warning", "assert"}
        ]
        thrown = [json.dumps(event["exceptionDetails"])[:400] for event in self._events("Runtime.exceptionThrown")]
        entries = [event["entry"] for event in self._events("Log.entryAdded")]
        return [*console, *thrown, *(f"{entry['level']}: {entry['text']}" for entry in entries)]
