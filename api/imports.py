"""An estate brought in over HTTP: looked at first, then written exactly as it was shown; and given back as a file.

The same code as `taizhang import`. Files come in one JSON body, so that the key of a deed covers all of them.
"""

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Base64Bytes, Field, StringConstraints

from api.catalogue import CATALOGUE
from api.context import Context, InContext, needs
from api.deeds import DeedOf
from api.estate_words import FAULTS_MAX, DifferenceOut, EstateFaulty, FaultOut, difference_out, fault_out
from api.problems import refusals
from api.rights import Right
from api.shapes import Answered, Asked, Key, Name, Word
from estate import bring_in, exporting, former, importing, template, wording
from estate.difference import Difference, unwatched
from estate.faults import EstateErrors, Fault, Position, Said, StillNeeded
from estate.plan import Plan
from estate.types import shipped
from ledger.errors import Conflict
from ledger.pool import Connection

router = APIRouter(tags=["estate"])

FILES_MAX = 20
_NAME = r"^[^/\\\x00-\x1f]{1,100}\.(?i:yaml|yml|csv|xlsx|xlsm|xls)$"
_MEDIA = {
    "yaml": ("application/yaml", "yaml"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    "csv": ("application/zip", "zip"),
}


class FileIn(Asked):
    name: Annotated[str, StringConstraints(pattern=_NAME), Field(description="as it is called, with its ending")]
    content: Annotated[Base64Bytes, Field(description="base64")]


class FilesIn(Asked):
    """Read together, as one estate: at most 20 files and 20 MiB in all."""

    files: Annotated[Sequence[FileIn], Field(min_length=1, max_length=FILES_MAX)]
    ignored: Annotated[Sequence[Word], Field(max_length=100, description="headers of columns that mean nothing")] = ()


class ImportIn(FilesIn):
    shown: Annotated[
        str, Field(pattern="^[0-9a-f]{64}$", description="`digest` of the preview: what is written is what was shown")
    ]


class PreviewOut(Answered):
    """Either `difference` or what is wrong. Nothing was written."""

    difference: DifferenceOut | None
    faults: Sequence[FaultOut] = Field(description="the first thousand")
    faults_count: int
    refused: Name | None = Field(description="what the ledger itself would refuse, one reason to a line")
    warnings: Sequence[Name]
    digest: str | None = Field(description="goes into `shown` of the import; null: it cannot be written")


class ImportedOut(Answered):
    difference: DifferenceOut


class ExportQuery(Asked):
    site: Key
    form: Literal["yaml", "xlsx", "csv"] = "xlsx"
    language: Literal["zh", "en"] = "zh"


class TemplateQuery(Asked):
    language: Literal["zh", "en"] = "zh"


@router.post(
    "/estate/preview",
    summary="What files of an estate would change; writes nothing",
    responses=refusals(413),
    dependencies=[needs(Right.ESTATE)],
)
async def preview_import(asked: FilesIn, deed: DeedOf) -> PreviewOut:
    context = deed.context
    try:
        async with context.transaction() as connection:
            plan = await _plan(context, connection, asked)
            silent = unwatched(plan, await bring_in.known(connection, [site.key for site in plan.sites]))
            found = await bring_in.rehearse(connection, plan, deed.now)
    except EstateErrors as error:
        told = [fault_out(each) for each in error.faults[:FAULTS_MAX]]
        return PreviewOut(
            difference=None, faults=told, faults_count=len(error.faults), refused=None, warnings=[], digest=None
        )
    except Conflict as error:
        return PreviewOut(difference=None, faults=[], faults_count=0, refused=_refused(error), warnings=[], digest=None)
    pairs = zip(wording.unwatched(silent, "zh"), wording.unwatched(silent, "en"), strict=True)
    return PreviewOut(
        difference=difference_out(found, dry_run=True),
        faults=[],
        faults_count=0,
        refused=None,
        warnings=[Name(zh=zh, en=en) for zh, en in pairs],
        digest=_digest(found),
    )


@router.post(
    "/estate/import",
    summary="Write what was shown: all of it or nothing",
    response_model=ImportedOut,
    responses=refusals(409, 413),
    dependencies=[needs(Right.ESTATE)],
)
async def import_estate(asked: ImportIn, deed: DeedOf) -> Response:
    """Refused when it would change something else than was shown, because the ledger has changed meanwhile."""

    async def act(connection: Connection) -> ImportedOut:
        try:
            plan = await _plan(deed.context, connection, asked)
        except EstateErrors as error:
            raise EstateFaulty(error) from None
        found = await bring_in.bring_in(connection, plan, deed.now)
        if _digest(found) != asked.shown:
            raise Conflict("the ledger has changed since this was shown, or the files have: look at the preview again")
        # Not what stands in the files: an entry is read by whoever may read the log at one of their sites.
        deed.asked.update({"files": [_named(each) for each in asked.files], "shown": asked.shown})
        deed.was_at.update({site.key: former.particulars(found, site.key) for site in plan.sites})
        return ImportedOut(difference=difference_out(found, dry_run=False))

    return await deed.do(act)


@router.get(
    "/estate/export",
    summary="A site as a file that an import reads again without a difference",
    response_class=Response,
    responses={**refusals(404), 200: {"content": {"application/octet-stream": {}}}},
    dependencies=[needs(Right.ESTATE)],
)
async def export_estate(query: Annotated[ExportQuery, Query()], context: InContext) -> Response:
    async with context.transaction() as connection:
        found = await exporting.describe(connection, [query.site], context.packs)
    media_type, ending = _MEDIA[query.form]
    data = await context.drawing_room.run(
        lambda: _written(ending, lambda path: exporting.write(found, path, query.form, query.language))
    )
    return _file(data, media_type, f"{query.site}.{ending}")


@router.get(
    "/estate/template",
    summary="A workbook to fill in",
    response_class=Response,
    responses={**refusals(), 200: {"content": {"application/octet-stream": {}}}},
    dependencies=[needs(Right.ESTATE)],
)
async def get_estate_template(query: Annotated[TemplateQuery, Query()], context: InContext) -> Response:
    types = list(shipped().values())
    data = await context.drawing_room.run(
        lambda: _written("xlsx", lambda path: template.write(path, types, context.packs, query.language))
    )
    return _file(data, _MEDIA["xlsx"][0], "estate.xlsx")


def _refused(error: Conflict) -> Name:
    """What somebody else did meanwhile has no more to it than that."""
    if isinstance(error, StillNeeded):
        return Name(zh="\n".join(each.zh for each in error.said), en=str(error))
    return Name(zh=CATALOGUE.text("problem_text", "conflict").zh, en=str(error))


async def _plan(context: Context, connection: Connection, asked: FilesIn) -> Plan:
    """Reading and checking off the event loop: a workbook of 50,000 rows must not hold up an alarm. Raises EstateErrors."""
    options = importing.Options(ignored=asked.ignored)
    _refuse_twice(asked.files)
    contents = await context.drawing_room.run(lambda: _read(asked.files, options))
    ground = await importing.ground_of(connection, contents)
    plan = await context.drawing_room.run(lambda: importing.settle(contents, ground, context.packs, options))
    strange = [site.key for site in plan.sites if site.key not in ground.stands]
    if strange:
        raise EstateErrors([_no_site(key, asked.files[0].name) for key in strange])
    return plan


def _refuse_twice(files: Sequence[FileIn]) -> None:
    names = [each.name for each in files]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise EstateErrors(
            [Fault(Position(name), Said("有两个同名文件", "two files have this name")) for name in twice]
        )


def _no_site(key: str, file: str) -> Fault:
    said = Said(
        f"没有您可以修改的项目 {key}；新项目请由管理员在服务器上用 taizhang import 建立",
        f"there is no site {key} whose estate is yours to change; a new site begins with `taizhang import` on the server",
    )
    return Fault(Position(file), said)


def _read(files: Sequence[FileIn], options: importing.Options) -> importing.Contents:
    with tempfile.TemporaryDirectory(prefix="taizhang-import-") as directory:
        paths = [Path(directory) / each.name for each in files]
        for path, each in zip(paths, files, strict=True):
            path.write_bytes(each.content)
        return importing.contents_of(paths, options)


def _written(ending: str, write: Callable[[Path], None]) -> bytes:
    """What is written to a path as one file; a directory of tables as an archive."""
    with tempfile.TemporaryDirectory(prefix="taizhang-export-") as directory:
        path = Path(directory) / f"estate.{ending}"
        write(path)
        if path.is_file():
            return path.read_bytes()
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in sorted(path.iterdir()):
                archive.write(each, each.name)
        return out.getvalue()


def _file(data: bytes, media_type: str, name: str) -> Response:
    return Response(data, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _digest(found: Difference) -> str:
    """Of everything that changes, also past the lines that are shown."""
    return hashlib.sha256(repr(found.items).encode()).hexdigest()


def _named(file: FileIn) -> dict[str, object]:
    return {"name": file.name, "bytes": len(file.content), "sha256": hashlib.sha256(file.content).hexdigest()}
