"""Face detection: where faces are in a picture."""
