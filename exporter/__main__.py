"""`python -m exporter` is `fusionsolar-exporter`."""

import sys

from exporter.cli import main

sys.exit(main())
