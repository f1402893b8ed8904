"""How long a spreadsheet of ten thousand rows takes: brought in, brought in again, and refused for its faults."""

import time
from pathlib import Path

import estate.bring_in
from bench.figure import Figure
from bench.ground import Bench
from estate.faults import EstateErrors
from estate.importing import plan
from ledger.pool import open_pool, transaction
from settings import wall_clock

ROWS = 10_000
FAULT_EVERY = 33  # three hundred rows of ten thousand
FACILITIES = 100  # of the estate that is there already

_SITES = "项目编号,项目名称,英文名称\nspreadsheet,表格小区,Spreadsheet\n"
_HEADER = "项目,楼栋/位置,设备编号,设备名称,设备类型,等级,品牌,型号,出厂编号,出厂日期,安装日期\n"


def _row(number: int, kind: str) -> str:
    place = f"{number % 9 + 1}号楼/{number % 30 + 1}层"
    return f"表格小区,{place},mh-{number},灭火器 {number},{kind},B,淮海,MFZ/ABC4,H{number},2024-03-01,2024-05-01\n"


def write(directory: Path, rows: int) -> tuple[list[Path], list[Path]]:
    """The files of a sound estate and of one with faults; GBK, as a spreadsheet in China saves them."""
    sites, sound, faulty = (directory / name for name in ("sites.csv", "sound.csv", "faulty.csv"))
    sites.write_text(_SITES, encoding="gbk")
    sound.write_text(_HEADER + "".join(_row(number, "干粉灭火器") for number in range(rows)), encoding="gbk")
    kinds = ("干粉灭火机" if number % FAULT_EVERY == 0 else "干粉灭火器" for number in range(rows))
    faulty.write_text(_HEADER + "".join(_row(number, kind) for number, kind in enumerate(kinds)), encoding="gbk")
    return [sites, sound], [sites, faulty]


async def measure(bench: Bench) -> list[Figure]:
    rows = max(100, round(ROWS * bench.pace))
    sound, faulty = write(bench.directory, rows)
    async with bench.database(FACILITIES) as url:
        return [
            await _refused(bench, url, faulty, rows),
            await _brought_in(bench, url, sound, f"import.first_{rows}"),
            await _brought_in(bench, url, sound, f"import.again_{rows}"),
        ]


async def _brought_in(bench: Bench, url: str, files: list[Path], name: str) -> Figure:
    begun_s, ours_s = time.monotonic(), time.process_time()
    async with open_pool(url, role=None, statement_timeout_ms=600_000) as pool, transaction(pool) as opened:
        found = await estate.bring_in.bring_in(opened, await plan(opened, files, bench.packs), wall_clock()())
    took_s, ours_s = time.monotonic() - begun_s, time.process_time() - ours_s
    return Figure(name, took_s, "s", note=f"{ours_s:.1f} s of our CPU; {len(found.items):,} differences written")


async def _refused(bench: Bench, url: str, files: list[Path], rows: int) -> Figure:
    begun_s, faults = time.monotonic(), 0
    async with open_pool(url, role=None) as pool, transaction(pool) as opened:
        try:
            await plan(opened, files, bench.packs)
        except EstateErrors as error:
            faults = len(error.faults)
    return Figure(f"import.refused_{rows}", time.monotonic() - begun_s, "s", note=f"{faults} faults told at once")
