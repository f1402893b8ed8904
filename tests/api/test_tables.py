"""Files of many rows: written beside the event loop, and with nothing in them that a spreadsheet would carry out."""

import asyncio
import threading
from collections.abc import Iterator

from pydantic import BaseModel

from api.tables import csv_file


class Line(BaseModel):
    note: str
    value: float | bool | None
    said: dict[str, str] | None = None


async def test_what_people_typed_is_no_formula_and_what_is_nothing_is_empty() -> None:
    lines = [Line(note="=1+1", value=-2.5), Line(note='a "b",\nc', value=True, said={"who": "王工"})]
    answer = await csv_file("lines.csv", ["note", "value", "said"], [*lines, Line(note="", value=None)])
    assert bytes(answer.body).decode() == (
        'note,value,said\r\n\'=1+1,-2.5,\r\n"a ""b"",\nc",true,"{""who"": ""王工""}"\r\n,,\r\n'
    )
    assert answer.headers["content-disposition"] == 'attachment; filename="lines.csv"'


async def test_others_are_served_while_a_file_is_written() -> None:
    begun, served = threading.Event(), threading.Event()

    def lines() -> Iterator[Line]:
        begun.set()
        yield Line(note="waited" if served.wait(10) else "nobody was served meanwhile", value=1)

    writing = asyncio.create_task(csv_file("lines.csv", ["note"], lines()))
    assert await asyncio.to_thread(begun.wait, 10)
    served.set()
    assert bytes((await writing).body).decode() == "note\r\nwaited\r\n"
