"""A headless Chromium, driven through its debugging pipe, for tests of pages."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path

NAMES = "chromium", "chromium-browser", "google-chrome", "chrome"


def find_browser() -> str | None:
    """The path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of a Chromium; what it asks for, is refused by its policy and writes to the console is kept."""

    def __init__(self, binary: str):
        self._asked: dict[str, str] = {}
        self._refused: set[str] = set()
        self.console: list[str] = []
        self._numbers = count(1)
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_child, self._commands = os.pipe()
        self._answers, from_child = os.pipe()
        options = [
            "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--remote-debugging-pipe", f"--user-data-dir={self._profile.name}",
        ]  # fmt: skip
        if os.geteuid() == 0:
            # Chromium refuses its sandbox to the superuser of a container.
            options.append("--no-sandbox")
        # Chromium reads commands from descriptor 3 and answers on 4; sh knows no descriptor above 9.
        shell = [
            "bash",
            "-c",
            f'exec "$0" "$@" 3<&{to_child} 4>&{from_child}',
            binary,
            *options,
            "about:blank",
        ]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
        self._process = subprocess.Popen(shell, pass_fds=(to_child, from_child), **quiet)
        os.close(to_child)
        os.close(from_child)
        self._session, self._buffer = None, b""
        targets = self.ask("Target.getTargets")["targetInfos"]
        target = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(30)
        os.close(self._commands)
        os.close(self._answers)
        self._profile.cleanup()

    def forget(self):
        """Starts to keep anew."""
        self._asked.clear()
        self._refused.clear()
        self.console.clear()

    @property
    def requests(self) -> list[str]:
        return [url for number, url in self._asked.items() if number not in self._refused]

    @property
    def refused(self) -> list[str]:
        return [url for number, url in self._asked.items() if number in self._refused]

    def ask(self, method: str, **parameters) -> dict:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _next(self) -> dict:
        while b"\0" not in self._buffer:
            read = os.read(self._answers, 2**16)
            if not read:
                raise RuntimeError("the browser has ended")
            self._buffer += read
        message, self._buffer = self._buffer.split(b"\0", 1)
        message = json.loads(message)
        self._keep(message.get("method"), message.get("params", {}))
        return message

    def _keep(self, event: str | None, told: dict):
        if event == "Network.requestWillBeSent":
            self._asked[told["requestId"]] = told["request"]["url"]
        elif event == "Network.loadingFailed" and told.get("blockedReason") == "csp":
            self._refused.add(told["requestId"])
        elif event in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.console.append(json.dumps(told)[:300])
        elif event == "Log.entryAdded":
            self.console.append(told["entry"]["text"])
        elif event == "Page.javascriptDialogOpening":
            self.console.append(f"dialog: {told['message']}")

    def open(self, path: Path, width: int = 1280, height: int = 900, scheme: str = "light", scale: float = 1):
        """Loads a file as a screen of that size shows it."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                 mobile=width < 600)  # fmt: skip
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.ask("Page.navigate", url=path.absolute().as_uri())
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, expression: str):
        """The value of a JavaScript expression, which the page's own policy does not bind."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["text"])
        return result["result"].get("value")

    def screenshot(self, path: Path, whole: bool = False):
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))
