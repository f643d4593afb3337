# SPDX-License-Identifier: MIT
# The objects that run between clone and exec, or without a libc, call nothing but each other:
# what they leave undefined (a compiler's own memcpy or __stack_chk_fail, a libc function that
# slipped in) is defined among them.
. "$SRCDIR/tests/tap.sh"

archive=$BUILDDIR/src/libramet-free.a
ok 'the archive is readable' "$NM" "$archive"
"$NM" --undefined-only "$archive" 2>/dev/null | awk 'NF == 2 { print $2 }' | sort -u >"$TMP/needed"
"$NM" --defined-only --extern-only "$archive" | awk 'NF == 3 { print $3 }' | sort -u >"$TMP/given"
ok 'it defines symbols' test -s "$TMP/given"

# The linker makes this one itself.
is 'it needs none but its own' \
	"$(comm -23 "$TMP/needed" "$TMP/given" | grep -vx _GLOBAL_OFFSET_TABLE_)" ''

done_testing
