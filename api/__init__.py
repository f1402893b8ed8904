"""HTTP out: one file per resource over the ledger's functions."""
