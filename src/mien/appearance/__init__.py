"""Aligned faces and the FHOG appearance descriptor."""
