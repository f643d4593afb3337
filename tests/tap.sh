# SPDX-License-Identifier: MIT
#
# A small TAP producer for the shell tests (bash), sourced first:
#
#	. "$SRCDIR/tests/tap.sh"
#	ok 'true succeeds' true
#	is 'a word' "$(echo word)" word
#	done_testing
#
# Given by meson: RAMET (the command), SRCDIR, BUILDDIR, CC. Made here: TMP, a folder that
# every user may enter, removed at the end whatever happens. The plan comes last, so a script
# that dies half-way has none and fails.

set -u
tap_run=0
tap_failed=0
TMP=$(mktemp -d /tmp/ramet-test.XXXXXX) && chmod 755 "$TMP" || exit 1
trap 'rm -rf -- "$TMP"' EXIT
trap 'exit 143' HUP INT TERM

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

# tap_result STATUS NAME: a '#' would start a directive, a line is one result.
tap_result() {
	local name=${2//[#$'\n']/ }
	tap_run=$((tap_run + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_run - $name"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_run - $name"
		return 1
	fi
}

# ok NAME COMMAND…: the command succeeds. Its output is shown when it does not.
ok() { status "$1" 0 "${@:2}"; }

# status NAME WANTED COMMAND…: the command exits with this status. What it printed is in
# $TMP/out and $TMP/err afterwards.
status() {
	local name=$1 want=$2 got=0
	shift 2
	"$@" >"$TMP/out" 2>"$TMP/err" || got=$?
	tap_result $((got != want)) "$name" && return
	diag "$*"$'\n'"  exit status $got, not $want"
	sed 's/^/#   /' "$TMP/out" "$TMP/err"
	return 1
}

# is NAME GOT WANT: the same string.
is() {
	[ "$2" = "$3" ]
	tap_result $? "$1" && return
	diag "  got  $2"
	diag "  want $3"
	return 1
}

# like NAME GOT REGEX, unlike NAME GOT REGEX: an extended regular expression (not) found.
like() {
	[[ $2 =~ $3 ]]
	tap_result $? "$1" && return
	diag "  got       $2"
	diag "  not like  $3"
	return 1
}
unlike() {
	! [[ $2 =~ $3 ]]
	tap_result $? "$1" && return
	diag "  got   $2"
	diag "  like  $3"
	return 1
}

# skip N REASON…: N subtests that cannot run here; the reason names what is missing.
skip() {
	local n=$1
	shift
	while [ $((n--)) -gt 0 ]; do
		tap_run=$((tap_run + 1))
		echo "ok $tap_run # SKIP $*"
	done
}

# skip_all REASON…: nothing of this test can run here.
skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

# as_user COMMAND…: as an ordinary user without capabilities or extra groups.
as_user() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"
	else
		"$@"
	fi
}

done_testing() {
	echo "1..$tap_run"
	exit $((tap_failed > 0))
}
