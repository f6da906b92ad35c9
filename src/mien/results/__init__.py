"""What an analysis gives, and the files it is written to."""
