"""Action units: descriptors, running medians, predictors, post-processing."""
