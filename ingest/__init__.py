"""MQTT in: bytes become readings, alarms and work orders, and are acknowledged after commit."""
