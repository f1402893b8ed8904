"""Walking rounds: tags and what is printed of them, checklists, what is due, plans, visits, plausibility. Decides; the
ledger remembers, the api tells.
"""
