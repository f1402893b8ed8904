"""Who may speak to the broker: Mosquitto's password and permission files, and what is typed into a gateway."""
