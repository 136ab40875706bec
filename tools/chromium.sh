#!/bin/sh
# Makes sure that the browser tests find a Chromium: one on the PATH, Debian's, or Playwright's.
# Usage: chromium.sh path/to/playwright
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium && exit 0
fi
"$1" install chromium && exit 0
echo "The browser tests need Chromium or Chrome. Install it so that \`chromium\` or" \
    "\`google-chrome\` is on the PATH, then run make test again." >&2
exit 1
