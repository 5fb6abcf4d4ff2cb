"""Test folders are no packages: modules beside these tests are found here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
