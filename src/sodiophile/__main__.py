"""``python -m sodiophile``."""

from sodiophile.cli import main

main()
