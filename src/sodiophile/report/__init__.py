"""Results -> one self-contained HTML page, publication figures, tables."""
