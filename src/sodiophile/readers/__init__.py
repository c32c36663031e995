"""Vendor file -> record; one format a file, declared as data wherever it can be."""
