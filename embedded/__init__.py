"""PostgreSQL and the MQTT broker from wheels, for a machine with nothing installed. Imports nothing of ours."""
