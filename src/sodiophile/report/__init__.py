"""Results -> one self-contained HTML page, publication figures, tables."""

from sodiophile.report.writer import check_place, write

__all__ = ["check_place", "write"]
