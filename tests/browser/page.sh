# SPDX-License-Identifier: MIT
# ramet bench --html in a real browser: page.py drives headless Chromium by chromedriver.
# Screenshots are left in the build's tests/browser, to be looked at.
. "$SRCDIR/tests/tap.sh"
export LC_ALL=C.UTF-8

for program in chromium chromedriver python3; do
	command -v "$program" >/dev/null || skip_all "needs $program"
done
for kind in plain evil single no-axis counts nothing; do
	"$PAGE" "$kind" html >"$TMP/$kind.html" && "$PAGE" "$kind" json >"$TMP/$kind.json" &&
		"$PAGE" "$kind" svg >"$TMP/$kind.svg" || exit 1
done
mkdir -p "$TMP/home" "$BUILDDIR/tests/browser"
# All that a browser writes goes where it will be removed.
HOME=$TMP/home TMPDIR=$TMP/home XDG_RUNTIME_DIR=$TMP/home \
	timeout 240 python3 "$SRCDIR/tests/browser/page.py" "$TMP" "$BUILDDIR/tests/browser"
