"""Inference on any simulator: priors, emulator, least squares, posterior, identifiability, sensitivities."""
