"""OpenFace's programs under their own names: the original's flags, files and places."""
