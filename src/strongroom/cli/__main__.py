"""`python -m strongroom.cli` is `strongroom`."""

from strongroom.cli.main import main

main(prog_name="strongroom")
