from sodiophile.report import write

from .sample import sample


def test_x(tmp_path):
    write(sample(), tmp_path / "r")
