"""The text of a file as spreadsheets and editors of this country write it: UTF-8 with or without a mark, or GB 18030.

Which of them it is follows from the bytes: text in GBK is practically never sound UTF-8. What went through the wrong
one of the two before it came here cannot be mended and is named.
"""

import codecs
from pathlib import Path

from estate.faults import EstateErrors, Fault, Position, Said

_LOST = ("\ufffd", "锟斤拷")  # what is left of GBK read as UTF-8, and of that saved as GBK again
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ZEROS_MIN = 0.2  # of the bytes: text in UTF-16 without a mark


def read_bytes(path: Path, bytes_max: int) -> bytes:
    """Raises EstateErrors for what cannot be read or is too long."""
    try:
        with path.open("rb") as file:
            content = file.read(bytes_max + 1)
    except OSError as error:
        raise EstateErrors([_fault(path, f"打不开：{error.strerror}", f"cannot be read: {error.strerror}")]) from error
    if len(content) > bytes_max:
        size = bytes_max // 1024 // 1024
        told = _fault(path, f"超过 {size} MiB，不像是台账文件", f"longer than {size} MiB; is this an estate file?")
        raise EstateErrors([told])
    return content


def decode(content: bytes, path: Path) -> str:
    """Raises EstateErrors, naming the encoding where it can be told."""
    if content.startswith(_UTF16) or (content and content.count(0) / len(content) > _ZEROS_MIN):
        told = _fault(
            path,
            "这是 UTF-16（Unicode 文本）；请另存为“CSV UTF-8”或 xlsx",
            "this is UTF-16 (Unicode text); save it as CSV UTF-8 or as xlsx",
        )
        raise EstateErrors([told])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            told = _fault(
                path,
                f"从第 {error.start} 字节起既不是 UTF-8 也不是 GBK 文本",
                f"not UTF-8 text, from byte {error.start} on, nor GBK",
            )
            raise EstateErrors([told]) from error
    for line, row in enumerate(text.splitlines(), 1):
        if any(mark in row for mark in _LOST):
            told = Fault(
                Position(str(path), line),
                Said(
                    "文件曾把 GBK 当作 UTF-8 打开后保存，汉字已经丢失；请从原始表格重新导出",
                    "this was GBK read as UTF-8 and saved: its characters are lost; export it again from the spreadsheet",
                ),
            )
            raise EstateErrors([told])
    return text


def mended(word: str) -> str | None:
    """What a garbled word was before it was read in the wrong encoding; None if it does not look garbled."""
    for wrong, right in (("gb18030", "utf-8"), ("latin-1", "gb18030"), ("latin-1", "utf-8"), ("cp1252", "gb18030")):
        try:
            found = word.encode(wrong).decode(right)
        except UnicodeError:
            continue
        if found != word and any("\u4e00" <= letter <= "\u9fff" for letter in found):
            return found
    return None


def _fault(path: Path, zh: str, en: str) -> Fault:
    return Fault(Position(str(path)), Said(zh, en))
