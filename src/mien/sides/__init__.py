"""Both sides of a face: composites of each with its mirror image, measures per side, actions."""
