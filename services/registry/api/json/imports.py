"""Imports of uploaded catalogues: upload, review, approve, follow."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.datastructures import FormData, UploadFile

from catalogue import plan
from catalogue.reading.limits import PAGES
from catalogue.reading.listing import ForeignError
from services.registry.api.access.keys import Person
from services.registry.api.context import ApiContext, Context, CurrentUser
from services.registry.api.json.schemas import moment
from services.registry.api.problem import documented, refusal
from services.registry.imports.importer import BusyError, ImportRequest
from services.registry.imports.register import Import, State

router = APIRouter(responses=documented(404, 409))

FIELDS = ("species", "population", "deployment")
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "encoding": {"catalogue": {"contentType": "application/zip"}},
                "schema": {
                    "type": "object",
                    "required": ["catalogue"],
                    "properties": {
                        "catalogue": {
                            "type": "string",
                            "format": "binary",
                            "description": "A ZIP of one folder per individual, or of a "
                            "metadata.csv, COCO "
                            "file, Wildbook table or Camtrap DP package with its pictures.",
                        },
                        **{
                            name: {
                                "type": "string",
                                "maxLength": 200,
                                "description": f"The {name} of all pictures; overrides the "
                                f"catalogue.",
                            }
                            for name in FIELDS
                        },
                    },
                },
            }
        },
    }
}


class GalleryCount(BaseModel):
    """Counts of one gallery in a catalogue."""

    gallery: str
    sightings: int
    individuals: int


class ImportAnswer(BaseModel):
    """An uploaded catalogue and its progress."""

    id: str
    actor: str
    file: str
    at: datetime = Field(description="When it was uploaded.")
    state: State = Field(
        description="planned: it awaits approval; lost: its server is gone, upload it again."
    )
    format: str
    rows: int
    galleries: list[GalleryCount]
    notes: list[str]
    left_out: int = Field(description="Rows that are skipped; `left-out.csv` gives the reasons.")
    published: int
    enrolled: int
    wrong: str = Field(description="Why it failed; empty: it did not.")
    calibration: str = Field(
        description="Report of the calibration fitted afterwards, if the system runs by `resight "
        "up`; "
        "fitting: in progress."
    )

    @classmethod
    def of(cls, found: Import) -> "ImportAnswer":
        """Return the schema of an import."""
        counts = [
            GalleryCount(gallery=name, sightings=sightings, individuals=individuals)
            for name, (sightings, individuals) in found.galleries.items()
        ]
        told = {
            name: getattr(found, name)
            for name in cls.model_fields
            if name not in {"at", "galleries", "notes"}
        }
        return cls(**told, at=moment(found.made_at), galleries=counts, notes=list(found.notes))


def an_import(request: Request, identifier: str, user: CurrentUser, at: Context) -> Import:
    """Return the import of a path.

    Raises:
        HTTPException: they see no such import.
    """
    found = at.imports.get(identifier)
    if found is None or not may_see(found, user):
        raise refusal(404, f"there is no import {identifier} that your key may see")
    request.state.about = f"{found.file} ({found.id})"
    return found


TheImport = Annotated[Import, Depends(an_import)]


@router.get("/api/v1/imports", tags=["imports"])
def imports(user: CurrentUser, at: Context) -> list[ImportAnswer]:
    """The latest imports."""
    return [ImportAnswer.of(each) for each in at.imports.latest() if may_see(each, user)]


@router.post(
    "/api/v1/imports",
    tags=["imports"],
    status_code=201,
    openapi_extra=_UPLOAD,
    responses=documented(409, 415),
)
async def bring(request: Request, user: CurrentUser, at: Context) -> ImportAnswer:
    """Upload a catalogue. It is read, and then awaits approval for an hour."""
    try:
        return ImportAnswer.of(await receive_upload(request, user, at))
    except ForeignError as error:
        raise refusal(422, str(error)) from error


@router.get("/api/v1/imports/{identifier}", tags=["imports"])
def one(found: TheImport) -> ImportAnswer:
    """Progress of an import."""
    return ImportAnswer.of(found)


@router.post("/api/v1/imports/{identifier}/enrol", tags=["imports"], status_code=202)
def enrol(found: TheImport, at: Context) -> ImportAnswer:
    """Approve an import: its animals become individuals with their names."""
    decide_import(at, found, agreed=True)
    return ImportAnswer.of(at.imports.get(found.id) or found)


@router.delete("/api/v1/imports/{identifier}", tags=["imports"], status_code=204)
def give_up(found: TheImport, at: Context) -> None:
    """Cancel an import that awaits approval; nothing is enrolled."""
    decide_import(at, found, agreed=False)


@router.get(
    "/api/v1/imports/{identifier}/left-out.csv",
    tags=["imports"],
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def left_out(found: TheImport, at: Context) -> Response:
    """Skipped rows, with reasons."""
    return Response(
        plan.report(at.imports.left_out(found.id)),
        media_type="text/csv",
        headers={"Content-Disposition": 'attachment; filename="left-out.csv"'},
    )


async def receive_upload(request: Request, person: Person, at: ApiContext) -> Import:
    """Return the import that an upload starts.

    The body is read here, not by a parameter, so only after authentication.

    Raises:
        HTTPException: the upload is invalid, or cannot be accepted now.
        ForeignError: it is not a catalogue in a ZIP.
    """
    if at.importing is None:
        raise refusal(503, "there is no broker, so nothing can be enrolled")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise refusal(415, "send the ZIP as the field `catalogue` of multipart/form-data")
    try:
        with at.importing.room() as identifier:
            async with request.form(max_files=1, max_fields=8) as form:
                return await _read(request, form, identifier, person, at)
    except BusyError as error:
        raise refusal(409, str(error)) from error


async def _read(
    request: Request, form: FormData, identifier: str, person: Person, at: ApiContext
) -> Import:
    """Return the import that a form starts, in its reserved space."""
    archive = form.get("catalogue")
    if not isinstance(archive, UploadFile):
        raise refusal(422, "catalogue: the upload has no file of this name")
    said = {name: text for name in FIELDS if (text := str(form.get(name, "")).strip())}
    if long := [name for name, text in said.items() if len(text) > 200]:
        raise refusal(422, f"{long[0]}: longer than 200 characters")
    name = (archive.filename or "catalogue")[-200:]
    request.state.about = name
    if at.importing is None:
        raise refusal(503, "there is no broker, so nothing can be enrolled")
    wanted = ImportRequest(person.name, person.key, person.sees, **said)
    limits = replace(PAGES, unpacked_bytes=2 * at.settings.max_catalogue_bytes)
    return await run_in_threadpool(
        at.importing.take, identifier, archive.file, name, wanted, limits
    )


def decide_import(at: ApiContext, found: Import, *, agreed: bool) -> None:
    if found.state != "planned" or not at.imports.say(found.id, "enrol" if agreed else "give up"):
        raise refusal(409, f"import {found.id} does not await approval: it is {found.state}")


def may_see(found: Import, person: Person) -> bool:
    """Users of all galleries see all imports, others those made with their key."""
    return not person.galleries or found.key == person.key
