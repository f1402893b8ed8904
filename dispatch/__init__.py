"""What follows from an alarm, done: used by whoever raises one, ingest by its rules and the api's watch over ingest."""
