"""Analysis that keeps up with a camera: it drops frames rather than fall behind, and says so."""
