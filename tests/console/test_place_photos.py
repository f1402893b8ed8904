"""The photo of a facility's place: set on its page, on a guard's phone before he goes, shown there without network."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.api.test_place_photos import taken
from tests.console.conftest import OpenPage
from tests.console.guard import Route, scan, sign_in
from tests.console.phone import Phone
from tests.console.rig import Service
from tests.console.sight import serious, widest

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(240)]

Keep = Callable[[Page, str], None]


def test_it_is_set_and_taken_away_on_the_page_of_the_facility(open_page: OpenPage, keep: Keep) -> None:
    page = open_page("facilities/garden/lamp-1", login="manager")
    page.get_by_label("添加位置照片").set_input_files(
        {"name": "place.jpg", "mimeType": "image/jpeg", "buffer": taken()}
    )
    shown = page.locator(".place-photo img")
    drawn(shown)
    assert serious(page) == []
    keep(page, "place-photo-1440-zh")
    reader = open_page("facilities/garden/lamp-1", login="auditor", language="en", width=390, touch=True)
    drawn(reader.get_by_alt_text("Where Board lamp is"))
    expect(reader.locator(".place-photo-deeds")).to_have_count(0)
    assert widest(reader, 390) <= 390
    keep(reader, "place-photo-390-en")
    page.get_by_label("更换位置照片").set_input_files(
        {"name": "place.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    )
    expect(page.get_by_text("不是可用的图片")).to_be_visible()
    page.get_by_role("button", name="移除位置照片").click()
    page.get_by_role("dialog").get_by_role("button", name="移除位置照片").click()
    expect(shown).to_have_count(0)
    page.get_by_role("tab", name="档案").click()
    expect(page.locator(".entries li").first).to_contain_text("位置照片")
    expect(page.locator(".entries li").first).to_contain_text("移除")


def drawn(picture: Locator) -> None:
    expect(picture).to_be_visible()
    picture.evaluate("image => image.decode()")
    assert picture.evaluate("image => image.naturalHeight > image.naturalWidth"), "the right way up"


def test_it_helps_to_find_the_point_without_network_and_after_a_restart(
    calm: Service, phone: Phone, route: Route, keep: Keep
) -> None:
    for stair, colour in zip(route.stairs, ("red", "green"), strict=False):
        route.client.post(f"/facilities/garden/{stair}/place-photo", content=taken(colour)).raise_for_status()
    phone.hold(route.links[route.stairs[0]])
    fetched: list[str] = []
    with phone.on() as page:
        page.on("request", lambda request: fetched.append(request.url) if "/place-photo/" in request.url else None)
        sign_in(page, calm)
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.get_by_role("button", name="开始巡检").tap()
        drawn(page.get_by_alt_text("1 号疏散楼梯的位置照片"))
        lies_on_the_phone(page, 2)
        assert len(fetched) == 2
        assert serious(page) == []
        keep(page, "patrol-place-390-zh")
        page.context.set_offline(True)
        scan(page, "1 号疏散楼梯")
        drawn(page.get_by_alt_text("1 号疏散楼梯的位置照片"))
        keep(page, "patrol-place-point-390-zh")
        page.get_by_role("button", name="全部正常").tap()
        page.get_by_role("button", name="保存").tap()
        drawn(page.get_by_alt_text("2 号疏散楼梯的位置照片"))
        page.reload()
        drawn(page.get_by_alt_text("2 号疏散楼梯的位置照片"))
        phone.killed()
    phone.hold(None)
    with phone.on(offline=True) as page:
        page.on("request", lambda request: fetched.append(request.url) if "/place-photo/" in request.url else None)
        page.get_by_role("button", name="继续巡检").tap()
        page.get_by_role("button", name=re.compile("2 号疏散楼梯")).first.tap()
        found = page.locator(".scan > .place")
        drawn(found.get_by_role("img"))
        keep(page, "patrol-place-scan-390-zh")
        found.tap()
        expect(found).to_have_attribute("aria-expanded", "true")
        keep(page, "patrol-place-large-390-zh")
        found.tap()
        route.client.post(f"/facilities/garden/{route.stairs[1]}/place-photo/remove").raise_for_status()
        page.context.set_offline(False)
        expect(found).to_have_count(0)
        lies_on_the_phone(page, 1)
    assert len(fetched) == 2, "each is fetched once"


def lies_on_the_phone(page: Page, photos: int) -> None:
    page.wait_for_function(
        """async photos => {
            const opened = indexedDB.open('taizhang-patrol');
            const database = await new Promise(resolve => { opened.onsuccess = () => resolve(opened.result); });
            const asked = database.transaction('said').objectStore('said').getAllKeys();
            const keys = await new Promise(resolve => { asked.onsuccess = () => resolve(asked.result); });
            database.close();
            return keys.filter(each => each.startsWith('place/')).length === photos;
        }""",
        arg=photos,
    )
