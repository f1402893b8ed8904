"""The facility's memory: the only SQL and the only commits of Taizhang."""
