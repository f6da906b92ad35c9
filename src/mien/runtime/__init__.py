"""Kernels' compilation, network sessions, threads."""
