"""The whole service on one machine, for a person who wants to see it (demo) and for one who wants it proven (smoke)."""
