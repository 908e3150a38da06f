"""The load benchmark on a real server, in small: that it says what it measured, and that the page
holds what it is measured for."""

import re
import subprocess
import sys

import pytest
from paths import ROOT


@pytest.fixture(scope="module")
def printed() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.chat_load", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    return done.stdout


def test_the_page_costs_little_over_the_assistant(printed: str) -> None:
    (line,) = re.findall(r"^first text, 5 questions.*$", printed, re.MULTILINE)
    assert "assistant alone" in line
    assert "NOT" not in line


def test_eight_people_are_answered_side_by_side(printed: str) -> None:
    assert "8 people, 8 seats: 8 answered, 0 told their place" in printed
    assert "8 read before anybody is done" in printed


def test_who_waits_for_a_seat_is_told_the_place(printed: str) -> None:
    assert "8 people, 4 seats: 8 answered, 4 told their place in the queue" in printed


def test_questions_that_were_left_keep_nothing_open(printed: str) -> None:
    found = re.findall(r"after (\d+) (\d+) MB, (\d+) threads, (\d+) files", printed)
    (ten, *before), (twenty, *after) = [tuple(map(int, values)) for values in found]
    assert (ten, twenty) == (10, 20)
    for few, more in zip(before, after, strict=True):
        assert more <= few + 3
