"""What an instrument produced, real or virtual: one immutable record type a file."""

from sodiophile.records.cycling import CyclingRecord
from sodiophile.records.impedance import ImpedanceRecord, Spectrum
from sodiophile.records.provenance import Provenance, file_sha256, refuse_special

__all__ = ["CyclingRecord", "ImpedanceRecord", "Provenance", "Spectrum", "file_sha256", "refuse_special"]
