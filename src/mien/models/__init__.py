"""Model packs: where the files are, how they are checked and read."""
