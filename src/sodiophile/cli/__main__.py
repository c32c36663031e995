"""``python -m sodiophile.cli``."""

from sodiophile.cli import main

main()
