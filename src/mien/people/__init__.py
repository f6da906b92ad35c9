"""Who is who: identities of several faces in a video, kept through crossings and short losses."""
