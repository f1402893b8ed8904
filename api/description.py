"""Describes the interface in OpenAPI, from the routes and their schemas."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import live
from api.inspections import VisitIn
from api.problems import Problem

_REFERENCE = "#/components/schemas/{model}"
_TAGS = {
    "people": "Who belongs to which site, with which roles; the table of roles and rights.",
    "tokens": "Named tokens for machines.",
    "audit log": "Who did what, when, from where.",
    "session": "Signing in and out, who I am, my password, what I saved for myself.",
    "sites": "Estates and the places in them.",
    "estate": "The estate as a file: brought in after a preview, taken out, and an empty one to begin with.",
    "facilities": "Graded functions in their places, with what is measured there now.",
    "grades and contracts": "What a risk grade and a contract ask for, and what people decided otherwise for a site.",
    "readings": "What was measured.",
    "rules": "What is considered wrong, and the limits people set.",
    "dossier": "One machine, one file: append-only and hash-chained.",
    "alarms": "One occurrence of something wrong, from leaving normal until it is back.",
    "conditions": "One rule at one facility and part, for ever.",
    "work permits": "Who works or tests where, and which rules are silent meanwhile.",
    "work orders": "Who deals with it, against which clock.",
    "inspection tags": "Tags on facilities: issued, printed, retired, replaced.",
    "checklists": "What is looked at on a round, by kind of facility, in versions.",
    "certificates": "Papers of a facility that end: registered, replaced, withdrawn, with their pages.",
    "inspection pictures": "Codes read in photos, photos of visits, tags printed.",
    "inspection plans": "Routes and when they are walked; what the law's calendar says is due.",
    "inspection rounds": "Rounds of a plan: due, walked, missed, and all that a phone needs to walk one offline.",
    "inspection reports": "The month's report as it was issued, as figures, PDF and spreadsheet; issued, and issued again.",
    "inspections": "What people found when they scanned a tag, and what is odd about how they did.",
    "public reports": "What people said who scanned a tag and are not signed in.",
    "intake": "What came in over MQTT, and what was refused.",
    "vocabulary": "The words for every key, in both languages.",
    "live": "Changes as they happen.",
    "health": "Without the token.",
}
_ABOUT = """\
The running ledger of a building's life-safety equipment. Times are RFC 3339 with zone, answers in UTC. Refusals are
problem details (RFC 9457). Lists are paged by cursor: `next` of one page is `after` of the next request.

Everything but health, readiness and signing in needs a session (`POST /session` sets its cookie; what changes something
carries the header `X-CSRF-Token` as well) or a bearer token. With a token, whoever changes something is named in the header
`X-Actor`. An `Idempotency-Key` makes sure that the same request is done only once.
"""


def description(app: FastAPI, prefix: str) -> dict[str, Any]:
    found = get_openapi(
        title="Taizhang 台账",
        version=app.version,
        description=_ABOUT,
        routes=app.routes,
        tags=[{"name": name, "description": about} for name, about in _TAGS.items()],
    )
    schemas: dict[str, Any] = found["components"]["schemas"]
    for model in (Problem, VisitIn, *live.EVENTS.values()):
        mode = "validation" if model is VisitIn else "serialization"  # a visit is asked for, the others are answers
        schema = model.model_json_schema(mode=mode, ref_template=_REFERENCE)
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    stream = found["paths"][f"{prefix}/live"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    stream["x-events"] = {
        event: {"$ref": _REFERENCE.format(model=model.__name__)} for event, model in live.EVENTS.items()
    }
    for unused in ("HTTPValidationError", "JsonValue", "ValidationError"):
        schemas.pop(unused, None)
    return found
