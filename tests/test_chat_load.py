"""The load benchmark measures a real server; here only that it runs and says what it should."""

import subprocess
import sys

from paths import ROOT


def test_a_quick_run_prints_every_measurement():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.chat_load", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    printed = done.stdout
    assert "assistant alone" in printed
    assert "8 people, 8 seats: 8 answered" in printed
    assert "8 people, 4 seats: 8 answered" in printed
    assert ", 4 told their place in the queue" in printed
    assert "MB after 20 questions" in printed
