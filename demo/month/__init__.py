"""A month of an estate's life, lived in minutes by the real rules and the real ledger, without sockets."""
