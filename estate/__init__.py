"""An estate described in a file, checked against the rule packs and brought into the ledger."""
