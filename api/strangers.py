"""What people who are not signed in may have of the service: bounded, and apart from what our own people do."""

import asyncio
from dataclasses import dataclass, field

from api.quota import Quota
from inspection.decoding import Darkroom

UNKNOWN_CODES_MAX = 30
FORMS_MAX = 10
REPORTS_MAX = 10
ARRIVING_MAX = 4


@dataclass(slots=True)
class Strangers:
    """By address in ten minutes: links that lead nowhere, and forms; by tag in an hour: reports; and forms at once."""

    unknown_codes: Quota = field(default_factory=lambda: Quota(UNKNOWN_CODES_MAX, 600.0))
    forms: Quota = field(default_factory=lambda: Quota(FORMS_MAX, 600.0))
    reports: Quota = field(default_factory=lambda: Quota(REPORTS_MAX, 3600.0))
    arriving: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ARRIVING_MAX))
    darkroom: Darkroom = field(default_factory=lambda: Darkroom(at_once_max=1, waiting_max=ARRIVING_MAX))
