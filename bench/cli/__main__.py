"""python -m relaxbench.bench.cli, as `relaxbench ab` calls the code of either side."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
