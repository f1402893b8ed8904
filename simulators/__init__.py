"""A facility that does not exist: plant, fleet and the truth about both."""
