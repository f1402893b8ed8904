"""What the operating system says of a process: CPU time spent, memory resident. Linux."""

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def _fields(pid: int) -> list[str]:
    """Those of /proc/PID/stat after the name, which may hold anything. Empty when the process is gone."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return line.rpartition(")")[2].split()


def cpu_s(pid: int) -> float:
    """User and system time of a process, its threads included, its children not."""
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S if fields else 0.0


def family_cpu_s(pid: int) -> float:
    """The same with its children: those that live, and those that ended and were waited for."""
    fields = _fields(pid)
    ended = (int(fields[13]) + int(fields[14])) / _TICKS_PER_S if fields else 0.0
    return cpu_s(pid) + ended + sum(cpu_s(child) for child in children(pid))


def children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            found += map(int, (task / "children").read_text(encoding="ascii").split())
        except OSError:
            continue
    return found


def resident_mb(pid: int) -> float:
    fields = _fields(pid)
    return int(fields[21]) * _PAGE_BYTES / 1e6 if fields else 0.0


def parent_of(pid: int) -> int:
    fields = _fields(pid)
    return int(fields[1]) if fields else 0


def name_of(pid: int) -> str:
    """Empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
