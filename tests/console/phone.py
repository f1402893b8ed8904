"""A guard's or an engineer's phone: a browser with a memory of its own, and a camera before which a test holds pictures."""

import io
import os
import re
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import segno
from PIL import Image
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from tests.console.rig import WIDTHS

ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 15_000
WALL = (122, 118, 110)


def pictured(text: str | None) -> bytes:
    """A tag on a wall, or the wall."""
    frame = Image.new("RGB", (640, 480), WALL)
    if text is not None:
        drawn = io.BytesIO()
        segno.make_qr(text, error="q").save(drawn, kind="png", scale=7, border=4)
        frame.paste(Image.open(drawn).convert("RGB").rotate(4, expand=True, fillcolor=WALL), (180, 90))
    written = io.BytesIO()
    frame.save(written, "JPEG", quality=80)
    return written.getvalue()


@dataclass
class Phone:
    """A browser with a memory, and a camera before which a test holds pictures."""

    browser: Browser
    chromium: str
    url: str
    directory: Path

    def hold(self, text: str | None) -> None:
        """The camera reads its film anew each time it is opened."""
        (self.directory / "film.mjpeg").write_bytes(pictured(text) * 5)

    @contextmanager
    def on(self, path: str = "patrol", *, offline: bool = False, **more: Any) -> Generator[Page]:
        """`more` is what a browser's context may be told beside: where it is, and whether it says so."""
        context = self.browser.browser_type.launch_persistent_context(
            self.directory / "memory",
            executable_path=self.chromium,
            args=[
                *ARGUMENTS,
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={self.directory / 'film.mjpeg'}",
            ],
            viewport={"width": 390, "height": WIDTHS[390]},
            has_touch=True,
            is_mobile=True,
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            **more,
        )
        context.set_default_timeout(PATIENCE_MS)
        context.set_offline(offline)
        page = context.pages[0]
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        context.on(
            "request",
            lambda request: (
                None if re.match(rf"{self.url}|data:|blob:", request.url) else complaints.append(request.url)
            ),
        )
        page.goto(f"{self.url}/{path}")
        yield page
        with suppress(PlaywrightError):  # where a test killed it
            context.close()
        assert not complaints, "\n".join(complaints)

    def killed(self) -> None:
        """Nothing is saved in passing: as when a phone's battery is empty."""
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            said = each.read_bytes().decode(errors="replace")
            if str(self.directory / "memory") in said and "--type=" not in said:
                os.kill(int(each.parent.name), signal.SIGKILL)
