"""What the tests of detectors of plans share; test folders are no packages, so that is done here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
