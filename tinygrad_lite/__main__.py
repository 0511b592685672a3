"""`python -m tinygrad_lite` is `tinygrad-lite`."""

import sys

from .cli import main

sys.exit(main())
