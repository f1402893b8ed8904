"""How the services tell of themselves, whatever they do: log lines for machines, and a door to ask how they are."""
