"""What a page looks like once it has come to rest: what axe knows of accessibility, and how wide it is."""

from typing import Any

from playwright.sync_api import Page

from tests.console.rig import ROOT

AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ["serious", "critical"]

# A dialog on its way out is half transparent, a list without its name: a fault is what stays.
LOOK = """async ({ impacts, patienceMs }) => {
    const until = performance.now() + patienceMs;
    for (;;) {
        const { violations } = await axe.run(document, { resultTypes: ["violations"] });
        const found = violations.filter(each => impacts.includes(each.impact));
        if (found.length === 0 || performance.now() > until) return found;
        await new Promise(done => setTimeout(done, 250));
    }
}"""


def serious(page: Page) -> list[str]:
    """What axe finds that keeps somebody from working; injected past the page's own policy, which allows no such thing."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(LOOK, {"impacts": SERIOUS, "patienceMs": 5000})
    return [f"{each['id']}: {each['help']}: {node['target']}" for each in found for node in each["nodes"]]


# Drawings and tables follow a frame or two after the window.
SETTLED = """async ({ width, patienceMs }) => {
    const until = performance.now() + patienceMs;
    while (document.documentElement.scrollWidth > width && performance.now() < until)
        await new Promise(requestAnimationFrame);
    return document.documentElement.scrollWidth;
}"""


def widest(page: Page, width: int) -> int:
    """How wide the page is, once it fits or has had its time to."""
    return int(page.evaluate(SETTLED, {"width": width, "patienceMs": 5000}))


CUT = """async ({ selector, patienceMs }) => {
    const until = performance.now() + patienceMs;
    for (;;) {
        const found = [...document.querySelectorAll(selector)].filter(each => each.scrollWidth > each.clientWidth);
        if (found.length === 0 || performance.now() > until) return found.map(each => each.innerText);
        await new Promise(requestAnimationFrame);
    }
}"""


def cut(page: Page, selector: str) -> list[str]:
    """What of it does not fit where it stands, and is cut off."""
    found: list[str] = page.evaluate(CUT, {"selector": selector, "patienceMs": 5000})
    return found
