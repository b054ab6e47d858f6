"""python -m relaxbench, the same as the command relaxbench."""

import sys

from .bench.cli import main

if __name__ == "__main__":
    sys.exit(main())
