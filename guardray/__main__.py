"""`python -m guardray` is the `guardray` command."""

from guardray.cli import main

main()
