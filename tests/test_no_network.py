"""Nothing leaves the house: index and ask with every packet counted.

The commands run in a network namespace of their own. It has a way out that leads nowhere, so that
an attempt by any library in any language, a name look-up included, shows in the counter of its one
interface. Loopback is not counted.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_SETUP = """
set -e
ip link set lo up
ip link add out0 type veth peer name out1
sysctl -qw net.ipv6.conf.all.disable_ipv6=1
ip addr add 198.51.100.1/24 dev out0
ip link set out0 up
ip link set out1 up
ip route add default via 198.51.100.2
sent() { ip -s -j link show out0 | "$PYTHON" -c \
  'import json, sys; print(json.load(sys.stdin)[0]["stats64"]["tx"]["packets"])'; }
before=$(sent)
"""


def run_counting(script, environment):
    """Standard output of a script in a namespace of its own, and the packets it tried to send."""
    done = subprocess.run(
        [
            "unshare",
            "--net",
            "--map-root-user",
            "sh",
            "-c",
            _SETUP + script + "\nsent; echo $before",
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    *output, after, before = done.stdout.splitlines()
    return output, int(after) - int(before)


@pytest.fixture
def environment(embedding_cache, tmp_path):
    usable = shutil.which("unshare") and shutil.which("ip")
    if not usable:
        pytest.skip("needs unshare (util-linux) and ip (iproute2)")
    environment = {
        "PYTHON": sys.executable,
        "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "RAG_EMBED_CACHE": str(embedding_cache),
    }
    probe = subprocess.run(
        ["unshare", "--net", "--map-root-user", "sh", "-c", _SETUP],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if probe.returncode:
        pytest.skip(f"no network namespaces here: {probe.stderr.strip()}")
    return environment


def test_the_counter_sees_an_attempt(environment):
    code = "import socket; s = socket.socket(2, 2); s.sendto(b'x', ('203.0.113.9', 9))"
    _, packets = run_counting(f'"$PYTHON" -c "{code}"; sleep 1', environment)
    assert packets > 0


def test_index_and_ask_send_nothing(environment, tmp_path):
    index = tmp_path / "index"
    script = (
        f'rag index --index "{index}" >&2\n'
        f'rag ask "三医协同指的是哪三个方面？" --index "{index}" --json'
    )
    output, packets = run_counting(script, environment)
    answer = json.loads("\n".join(output))
    assert answer["state"] in ("answered", "uncertain")
    assert answer["citations"]
    assert packets == 0
