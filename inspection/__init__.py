"""Walking rounds: codes, checklists, rounds, visits, plausibility. Built by the inspection issue; nothing here yet."""
