# SPDX-License-Identifier: MIT
# libramet.so shows exactly the functions of its symbol map, and needs the libc alone.
. "$SRCDIR/tests/tap.sh"

library=$BUILDDIR/src/libramet.so
map=$SRCDIR/src/libramet.sym

# 'name@@NODE' in the library, 'name;' in the map's global part; A is the node itself.
"$NM" --dynamic --defined-only "$library" |
	awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$TMP/shown"
sed -e 's,/\*.*\*/,,' -e 's/#.*//' "$map" | tr -s ' \t{:;' '\n' |
	awk '/^global$/ { on = 1; next } /^local$/ { on = 0 } on && /^[a-z]/' | sort >"$TMP/listed"

ok 'the library shows something' test -s "$TMP/shown"
is 'every symbol begins with ramet_' "$(grep -v '^ramet_' "$TMP/shown")" ''
if grep -q '\*' "$TMP/listed"; then
	skip 2 'the symbol map has a wildcard, not a list'
else
	is 'nothing is shown that the map does not list' "$(comm -23 "$TMP/shown" "$TMP/listed")" ''
	is 'nothing is listed that the library lacks' "$(comm -13 "$TMP/shown" "$TMP/listed")" ''
fi

# Declared in a public header, or it cannot be used.
missing=$(while read -r name; do
	grep -qw "$name" "$SRCDIR"/include/ramet/*.h || echo "$name"
done <"$TMP/shown")
is 'every symbol is declared in a public header' "$missing" ''

# The static library clashes with nobody's names either.
"$NM" --defined-only --extern-only "$BUILDDIR/src/libramet.a" | awk 'NF == 3 { print $3 }' |
	sort >"$TMP/static"
is 'the static library defines the same symbols' "$(cat "$TMP/static")" "$(cat "$TMP/shown")"

done_testing
