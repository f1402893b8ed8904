"""What is considered wrong, and what follows from it: pure, no clock, no I/O but reading the packs."""
