"""Equations, numpy in, numpy out: no files, no plots."""
