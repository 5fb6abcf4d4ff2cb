"""Test folders are no packages: here modules beside the tests of plans are made to be found."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
