"""The camera of a guard's phone: it rests after half a minute, lenses take turns, the torch; and it reads what we print."""

import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.console.guard import Route, sign_in
from tests.console.phone import WALL, Phone
from tests.console.rig import Service

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(240)]

Keep = Callable[[Page, str], None]
# Chromium's fake camera has neither a torch nor a second lens, and there is no other here: the track says that it has a
# torch and remembers how it was set, and the only camera is named twice. All else is the browser's own.
_HARDWARE = """
    window.torches = [];
    const capabilities = MediaStreamTrack.prototype.getCapabilities;
    MediaStreamTrack.prototype.getCapabilities = function () { return {...capabilities.call(this), torch: true}; };
    MediaStreamTrack.prototype.applyConstraints = async function (wanted) { window.torches.push(wanted.advanced[0].torch); };
    const asked = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    window.lenses = [];
    navigator.mediaDevices.getUserMedia = wanted => {
        window.lenses.push(wanted.video.deviceId?.exact ?? null);
        return asked({audio: false, video: true});
    };
    const devices = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
    navigator.mediaDevices.enumerateDevices = async () => {
        const found = (await devices()).filter(each => each.kind === 'videoinput');
        return [...found, {kind: 'videoinput', deviceId: 'second', label: 'second lens'}];
    };
"""


def scanning(page: Page, calm: Service) -> None:
    sign_in(page, calm)
    page.get_by_role("button", name="开始巡检").tap()
    page.locator(".at-round").get_by_role("button", name="扫码", exact=True).tap()


def playing(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('video').videoWidth > 0")


@pytest.mark.usefixtures("route")
def test_torch_and_lenses(calm: Service, phone: Phone, keep: Keep) -> None:
    phone.hold(None)
    with phone.on() as page:
        page.add_init_script(_HARDWARE)
        page.reload()
        scanning(page, calm)
        playing(page)
        torch = page.get_by_role("button", name="手电")
        torch.tap()
        expect(torch).to_have_attribute("aria-pressed", "true")
        keep(page, "patrol-torch-390-zh")
        torch.tap()
        expect(torch).to_have_attribute("aria-pressed", "false")
        assert page.evaluate("window.torches") == [True, False]
        page.get_by_role("button", name="换镜头").tap()
        page.wait_for_function("() => window.lenses.at(-1) === 'second'")
        assert page.evaluate("localStorage.getItem('taizhang.lens')") == "second", "it is the one of next time"


@pytest.mark.usefixtures("route")
def test_the_camera_rests_after_half_a_minute_and_goes_on_at_a_touch(calm: Service, phone: Phone) -> None:
    phone.hold(None)
    with phone.on() as page:
        page.clock.install()
        page.reload()
        scanning(page, calm)
        playing(page)
        page.clock.fast_forward(31_000)
        paused = page.get_by_role("button", name="相机已休息")
        expect(paused).to_be_visible()
        assert page.evaluate("document.querySelector('video').srcObject.getTracks()[0].readyState") == "ended"
        paused.tap()
        expect(paused).to_have_count(0)
        playing(page)
        assert page.evaluate("document.querySelector('video').srcObject.getTracks()[0].readyState") == "live"


def test_the_label_that_is_printed_is_read_with_its_words_around_it(calm: Service, phone: Phone, route: Route) -> None:
    """As the service draws it for paper, name and place beside the code, held a little askew."""
    code = route.links[route.stairs[0]].rpartition("/")[2]
    drawn = Image.open(io.BytesIO(route.client.get(f"/tags/{code}/picture.png").raise_for_status().content))
    label = drawn.convert("RGB")
    label.thumbnail((560, 400), Image.Resampling.LANCZOS)
    frame = Image.new("RGB", (640, 480), WALL)
    frame.paste(label.rotate(3, expand=True, fillcolor=WALL), (20, 30))
    seen = io.BytesIO()
    frame.save(seen, "JPEG", quality=80)
    (phone.directory / "film.mjpeg").write_bytes(seen.getvalue() * 5)
    with phone.on() as page:
        scanning(page, calm)
        expect(page.get_by_role("heading", name="1 号疏散楼梯")).to_be_visible()
