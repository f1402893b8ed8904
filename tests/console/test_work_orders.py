"""Work orders: a maintenance engineer with a phone, from arriving to the signature; then the desk, that calls back."""

import io
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from ledger import work_orders
from ledger.lifecycle import WorkOrderMove, WorkOrderState
from ledger.records import Deadlines, Priority, Severity
from ledger.work_orders import Act
from tests.console.conftest import OpenPage
from tests.console.phone import Phone
from tests.console.rig import OUTPUT, TOKEN, Connection, Service
from tests.console.sight import serious, widest
from tests.orders import WAY_TO, deadlines

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.timeout(240)]

FINGER_PX = 48
WORKER = "维修工程师张师傅"


def open_orders(service: Service) -> dict[WorkOrderState, int]:
    """One in each state that a board shows, at the garden's booster."""

    async def whole(connection: Connection) -> dict[WorkOrderState, int]:
        now, found = datetime.now(UTC), {}
        for state in (
            WorkOrderState.OPENED,
            WorkOrderState.DISPATCHED,
            WorkOrderState.ACCEPTED,
            WorkOrderState.ARRIVED,
            WorkOrderState.SUSPENDED,
            WorkOrderState.RESOLVED,
            WorkOrderState.VERIFIED,
        ):
            found[state] = await _one(connection, service, state, deadlines(now), now)
        return found

    return service.act(whole)


async def _one(
    connection: Connection, service: Service, state: WorkOrderState, clocks: Deadlines, now: datetime
) -> int:
    order = await work_orders.open_order(
        connection,
        Act("rules", "at_once", now),
        site_id=service.garden.id,
        facility_id=service.garden.booster,
        work_class="water_supply",
        title_zh="2号泵机械密封漏水",
        title_en="Pump 2: mechanical seal leaks",
        severity=Severity.WARNING,
        priority=Priority.HIGH,
        deadlines=clocks,
    )
    for step in WAY_TO[state]:
        assignee = WORKER if step is WorkOrderMove.DISPATCH else None
        await work_orders.move(connection, order, step, Act(WORKER, "person", now, note="等配件"), assignee=assignee)
    return order


def camera() -> dict[str, object]:
    """A phone's photo, written sideways."""
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.linear_gradient("L").resize((800, 600)).convert("RGB").save(out, "JPEG", exif=exif)
    return {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def scribble(page: Page, frame: Locator) -> None:
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box is not None
    x, y, width, height = (box[each] for each in ("x", "y", "width", "height"))
    page.mouse.move(x + width * 0.1, y + height * 0.7)
    page.mouse.down()
    for at in range(2, 10):
        page.mouse.move(x + width * at / 10, y + height * (0.25 if at % 2 else 0.75))
    page.mouse.up()


def test_an_order_from_arriving_to_the_call_back(
    calm: Service, open_page: OpenPage, keep: Callable[[Page, str], None]
) -> None:
    orders = open_orders(calm)
    order = orders[WorkOrderState.ARRIVED]
    page = open_page(f"work-orders/{order}", login="maintenance", width=390, touch=True)
    expect(page.get_by_role("button", name="完成", exact=True)).to_be_visible()
    photos, parts, pad = (page.get_by_role("region", name=each, exact=True) for each in ("照片", "用料", "签字"))
    photos.get_by_label("添加整改前照片").set_input_files([camera()])  # type: ignore[list-item]
    small = photos.get_by_role("img", name="整改前照片 1")
    expect(small).to_have_js_property("naturalWidth", 360)  # it stands upright
    expect(small).to_have_js_property("naturalHeight", 480)
    parts.get_by_role("button", name="登记").click()
    expect(parts.get_by_text("此处必须填写")).to_be_visible()
    parts.get_by_label("名称").fill("机械密封")
    parts.get_by_label("数量").fill("2")
    parts.get_by_role("button", name="登记").click()
    expect(parts.get_by_role("listitem")).to_contain_text("机械密封")
    pad.get_by_role("button", name="提交签字").click()
    expect(pad.get_by_text("框内还没有签字")).to_be_visible()
    pad.get_by_label("签字人姓名").fill("刘女士")
    scribble(page, pad.locator("canvas"))
    keep(page, "work-order-signature-390-zh")
    pad.get_by_role("button", name="提交签字").click()
    expect(pad.get_by_role("img", name="刘女士的签字")).to_be_visible()
    for button in page.locator(".order button.move, .order .papers-do, .photo-add, .part-strike").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= FINGER_PX, button.inner_text()
    assert widest(page, 390) <= 390
    assert serious(page) == []
    page.evaluate("scrollTo(0, 0)")
    keep(page, "work-order-390-zh")
    page.locator("article").screenshot(path=OUTPUT / "work-order-390-zh-whole.png")
    page.get_by_role("button", name="完成", exact=True).click()
    page.get_by_role("button", name="提交：完成").click()
    expect(page.get_by_role("region", name="回访")).to_contain_text("尚未回访")

    desk = open_page(f"work-orders/{order}", login="duty", language="en")
    call = desk.get_by_role("region", name="Call-back")
    call.get_by_label("Spoken with").fill("Ms Liu")
    call.get_by_text("2 poor").click()
    call.get_by_role("button", name="Write the call-back down").click()
    expect(call.get_by_text("This is needed")).to_be_visible()
    call.get_by_label("What was wrong").fill("still drips")
    call.get_by_role("button", name="Write the call-back down").click()
    expect(call.get_by_text("2 of 5 · poor")).to_be_visible()
    expect(call.get_by_text("reopen this order")).to_be_visible()
    assert serious(desk) == []
    keep(desk, "work-order-1440-en")
    orders_stand_on_board_and_list(desk, calm.url, orders.values(), keep)


def orders_stand_on_board_and_list(
    desk: Page, url: str, orders: Iterable[int], keep: Callable[[Page, str], None]
) -> None:
    """Other tests' orders may stand beside them."""
    desk.goto(f"{url}/work-orders")
    for each in orders:
        expect(desk.locator(f".board .card a[href='/work-orders/{each}']")).to_be_visible()
    assert serious(desk) == []
    keep(desk, "work-orders-board-1440-en")
    desk.goto(f"{url}/work-orders?view=list")
    for each in orders:
        expect(desk.locator(f"tbody tr a[href='/work-orders/{each}']")).to_be_visible()
    assert serious(desk) == []
    keep(desk, "work-orders-list-1440-en")


def tag_at(service: Service, facility: str) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Actor": "inspector"}
    issued = httpx.post(
        f"{service.url}/api/v1/tags", json={"site": "garden", "facility": facility}, headers=headers, timeout=30
    )
    return issued.raise_for_status().json()["tag"]


def test_who_is_there_says_so_with_the_tag(
    calm: Service, open_page: OpenPage, phone: Phone, keep: Callable[[Page, str], None]
) -> None:
    """A contractor's phone reads another's tag, then the right one; one of one's own witnesses with a code typed in."""
    order = open_orders(calm)[WorkOrderState.ACCEPTED]
    here, elsewhere = tag_at(calm, "booster-1"), tag_at(calm, "lamp-1")
    phone.hold(elsewhere["link"])
    with phone.on(f"work-orders/{order}") as page:
        page.get_by_label("登录名").fill("contractor")
        page.get_by_label("密码", exact=True).fill(calm.passwords["contractor"])
        page.get_by_role("button", name="登录").tap()
        there = page.get_by_role("region", name="到场与旁站")
        expect(there).to_contain_text("还没有人到场")
        there.get_by_role("button", name="扫码到场").tap()
        told = page.get_by_role("alertdialog")
        expect(told).to_contain_text("这个标签挂在“宣传栏灯”。请扫“一号泵组”现在挂着的标签。")
        keep(page, "work-order-scan-refused-390-zh")
        assert serious(page) == []
        phone.hold(here["link"])
        told.get_by_role("button", name="返回工单").tap()
        there.get_by_role("button", name="扫码到场").tap()
        expect(there).to_contain_text(re.compile(f"到场 维保单位刘工.*相机扫码 …{here['code'][-4:]}"))
        assert widest(page, 390) <= 390
        assert serious(page) == []
        keep(page, "work-order-arrived-390-zh")

    desk = open_page(f"work-orders/{order}", login="duty", language="en", width=390, touch=True)
    there = desk.get_by_role("region", name="On site")
    there.get_by_role("button", name="Scan to witness").tap()
    over = desk.get_by_role("dialog", name="Scan to witness")
    expect(over).to_contain_text("No camera")
    assert serious(desk) == []
    over.get_by_role("button", name="Type").tap()
    over.get_by_label("The twelve characters on the tag").fill("2222")
    over.get_by_role("button", name="Go").tap()
    expect(over.get_by_role("alert")).to_contain_text("twelve characters")
    over.get_by_label("The twelve characters on the tag").fill(here["shown"].lower())
    keep(desk, "work-order-witness-typing-390-en")
    over.get_by_role("button", name="Go").tap()
    expect(there).to_contain_text("typed in")
    expect(over).to_have_count(0)
    expect(desk.get_by_role("region", name="What happened")).to_contain_text(f"tag …{here['code'][-4:]} typed in")


def test_a_scanner_that_cannot_be_loaded_leaves_the_order_and_is_tried_again(
    calm: Service, open_page: OpenPage, keep: Callable[[Page, str], None]
) -> None:
    order = open_orders(calm)[WorkOrderState.ACCEPTED]
    page = open_page(f"work-orders/{order}", login="contractor", width=390, touch=True)
    page.route("**/assets/ScanHere-*.js", lambda asked, _: asked.abort())
    there = page.get_by_role("region", name="到场与旁站")
    there.get_by_role("button", name="扫码到场").tap()
    expect(there.get_by_role("alert")).to_contain_text("扫码功能没有载入")
    expect(there).to_contain_text("还没有人到场")
    assert serious(page) == []
    keep(page, "work-order-no-scanner-390-zh")
    page.unroute("**/assets/ScanHere-*.js")
    there.get_by_role("button", name="再试一次").tap()
    expect(page.locator(".scan")).to_be_visible()
