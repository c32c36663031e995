"""Engines: what gives energies and forces; one a file."""
