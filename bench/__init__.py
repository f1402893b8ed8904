"""How fast the line is, measured: one script per question, one runner, one report. May import all; nobody imports it."""
