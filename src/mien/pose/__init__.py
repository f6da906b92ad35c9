"""Head pose."""
