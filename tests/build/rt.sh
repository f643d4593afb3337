# SPDX-License-Identifier: MIT
# libramet-rt as it is built: it calls nothing but itself and the program's main(), brings what
# compilers call, and a program with one thread is small.
. "$SRCDIR/tests/tap.sh"

archive=$BUILDDIR/src/thread/libramet-rt.a
one=$BUILDDIR/tests/native/native-one
ok 'the archive is readable' "$NM" "$archive"
"$NM" --undefined-only "$archive" 2>/dev/null | awk 'NF == 2 { print $2 }' | sort -u >"$TMP/needed"
"$NM" --defined-only --extern-only "$archive" | awk 'NF == 3 { print $3 }' | sort -u >"$TMP/given"
# Where arrays of constructors are, and what is relative to what, the linker says.
is 'it needs none but its own and main()' \
	"$(comm -23 "$TMP/needed" "$TMP/given" | grep -vE '_array_(start|end)$|^__global_pointer')" main
for name in memcpy memmove memset memcmp bcmp strlen; do
	ok "it brings $name" grep -qx "$name" "$TMP/given"
done
# A name that is no promise would clash with the program's own; no C program has one with a dot.
is 'what it gives beside ramet_… and what compilers call cannot be a name in C' \
	"$(grep -vE '^(ramet_.*|ramet\..*|_start|mem(cpy|move|set|cmp)|bcmp|strlen|__stack_chk_(fail|guard))$' "$TMP/given")" ''

# Beside the header's there is what enter.S has for libramet.
sed -n 's/.*\<\(ramet_[a-z_]*\)(.*/\1/p' "$SRCDIR/include/ramet/thread.h" | sort -u >"$TMP/words"
grep -x 'ramet_[a-z_]*' "$TMP/given" >"$TMP/functions"
is 'all it gives is in the header' \
	"$(comm -23 "$TMP/functions" "$TMP/words" | grep -vxe ramet_environ -e ramet_vfork)" ''

size=$(stat -c %s "$one")
diag "a stripped program with one thread: $size bytes"
ok 'a stripped program with one thread has at most 16 KiB' test "$size" -le 16384
if [ "$CAN_RUN" = yes ]; then
	ok 'and it runs' "$one"
else
	skip 1 'built for another machine'
fi

done_testing
