"""The packs and checklists that ship, read once for all tests of a process: reading them takes a second."""

import rules.packs
from inspection import checklist_reading

PACKS = rules.packs.load(None)
BOOK = checklist_reading.load()
