# SPDX-License-Identifier: MIT
# Reading what strace prints: a program writes down the calls that it makes, and from strace's
# lines, with each set of options, the same calls must come out, in their order.
. "$SRCDIR/tests/tap.sh"

read_lines=$BUILDDIR/tests/read-lines
names=clone,clone3,fork,vfork,unshare,setns,write,wait4

if ! ${CC-cc} -D_GNU_SOURCE -O1 -I"$SRCDIR/src" -o "$TMP/calls" "$SRCDIR/tests/lib/calls.c" \
	-pthread 2>"$TMP/err"; then
	skip_all "the program that makes the calls does not compile: $(head -n 1 "$TMP/err")"
fi
if ! timeout 20 strace -o /dev/null true 2>/dev/null; then
	skip_all 'strace cannot trace here'
fi
chmod 755 "$TMP/calls"
cd "$TMP" || exit 1

# compare OPTIONS WHERE: WHERE is 'file' (-o), 'files' (-ff -o) or 'errors' (among the program's).
compare() {
	local options=$1 where=$2 name="strace $1, $2" to=(-o "$TMP/trace")
	rm -f "$TMP"/trace* "$TMP/want"
	[ "$where" != errors ] || to=()
	# shellcheck disable=SC2086 # a list
	timeout 60 strace $options -e "trace=$names" "${to[@]}" "$TMP/calls" "$TMP/want" \
		2>"$TMP/errors" >/dev/null
	[ "$where" != errors ] || mv "$TMP/errors" "$TMP/trace"
	cat "$TMP"/trace* | "$read_lines" >"$TMP/got"
	if [ "$(wc -l <"$TMP/want")" -lt 35 ]; then
		tap_result 1 "$name: the program made its calls"
		return
	fi
	cmp -s "$TMP/want" "$TMP/got"
	tap_result $? "$name" && return
	diag "$(diff "$TMP/want" "$TMP/got" | head -n 20)"
	diag "$(grep -nE 'clone|fork|unshare|setns' "$TMP"/trace* | head -n 60 | cut -c1-200)"
}

compare '' file
compare '-f' file
compare '-f' errors
compare '-ff' files
compare '-f -X raw' file
compare '-f -X raw' errors
compare '-f -X verbose' file
compare '-f -y' errors
compare '-f -yy' file
compare '-f -t' file
compare '-f -ttt -T' errors
compare '-r' file
compare '-f -i' errors
compare '-v' file
compare '-f -q -e signal=none' errors
compare '-f -qq -a 80 -x' errors
compare '-f -C' errors

# Options of newer versions.
strace -h >"$TMP/help" 2>&1
if grep -q -e --decode-pids "$TMP/help"; then
	compare '-f -Y' file
	compare '-f -Y -yy -tt' errors
	compare '-f --decode-pids=comm,pidns' errors
else
	skip 3 'this strace has no --decode-pids'
fi
if grep -q -e '--syscall-number' "$TMP/help"; then
	compare '-f -n -i -r -T' errors
else
	skip 1 'this strace has no --syscall-number'
fi

# Nothing that is not ours: the same with every call shown.
names=all compare '-f -v -s 4096' errors
names=all compare '-f -k -tt' file

done_testing
