"""Where tests find the repository and the shared evaluation material beside it."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
