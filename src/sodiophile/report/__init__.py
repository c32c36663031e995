"""Results -> one self-contained HTML page, publication figures, tables."""

from sodiophile.report.writer import write

__all__ = ["write"]
