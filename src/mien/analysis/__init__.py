"""Whole sources analysed: videos, pictures, every Nth frame, clips of one person; and their files."""
