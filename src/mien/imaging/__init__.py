"""Image primitives that reproduce OpenCV 4's arithmetic: warps, remap, resize, grey conversion."""
