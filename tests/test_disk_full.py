"""A disk that is really full: an index in a file system of its own that is too small for it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

_OWN_FILE_SYSTEMS = ("unshare", "--mount", "--map-root-user", "sh", "-c")
_MOUNT = 'mount -t tmpfs -o size={size} tmpfs "$1" && cd "$2"'


@pytest.fixture
def run_in(embedding_cache, tmp_path):
    """Run shell commands where ``folder`` is a file system of ``size``."""
    if not shutil.which("unshare"):
        pytest.skip("needs unshare (util-linux)")
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "RAG_EMBED_CACHE": str(embedding_cache),
    }

    def run(script, folder, size):
        mount = _MOUNT.format(size=size)
        return subprocess.run(
            [*_OWN_FILE_SYSTEMS, mount + " && " + script, "sh", str(folder), str(ROOT)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    probe = run("true", tmp_path, "1m")
    if probe.returncode:
        pytest.skip(f"no file systems can be mounted here: {probe.stderr.strip()}")
    return run


def test_a_full_disk_is_one_line_and_the_old_index_still_answers(run_in, tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    done = run_in(
        'rag index --index "$1/index" corpus/glossary.md >/dev/null 2>&1\n'
        'head -c 100m /dev/zero > "$1/filler" 2>/dev/null\n'
        'rag index --index "$1/index" corpus/data-safety.md; echo "code $?"\n'
        'rag search 大模型 --index "$1/index" | head -n 3',
        folder,
        "3m",
    )
    assert "code 4" in done.stdout
    (line,) = [text for text in done.stderr.splitlines() if text.startswith("错误：")]
    assert "磁盘" in line
    assert "glossary.md" in done.stdout or "名词解释" in done.stdout
