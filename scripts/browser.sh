#!/bin/sh
# The browser tests use Debian's chromium and a Chinese font; install them where we may.
set -eu
if command -v chromium >/dev/null 2>&1 && [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ]; then
  exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing chromium and fonts-noto-cjk for the browser tests"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null
else
  echo "No chromium or no Noto CJK font: browser and OCR tests will be skipped." >&2
  echo "To run them: sudo apt-get install chromium fonts-noto-cjk" >&2
fi
