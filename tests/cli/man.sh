# SPDX-License-Identifier: MIT
# The man pages say something of everything public: functions, steps, rules, resources, presets.
. "$SRCDIR/tests/tap.sh"

man=$SRCDIR/man
src=$SRCDIR/src

# missing PAGE…: which of the words on stdin are in none of these pages.
missing() {
	local word
	while read -r word; do
		grep -qwF -- "$word" "$@" || echo "$word"
	done
}

# rows FILE NAME: the second argument, a string, of each row NAME(…) of a table.
rows() { sed -n "s/^$2([A-Z_]*, \"\([^\"]*\)\".*/\1/p" "$1"; }

is 'every function has its page' \
	"$(sed -n 's/^\t\(ramet_[a-z0-9_]*\);.*/\1/p' "$src/libramet.sym" | missing "$man"/*.3.scd)" ''
is 'every step that a spec may hold is in ramet_steps(3)' \
	"$(sed -n 's/^#define \(RAMET_[A-Z_]*\)(.*kind = .*/\1/p' "$SRCDIR/include/ramet/ramet.h" |
		missing "$man/ramet_steps.3.scd")" ''
# By its word, or by the macro that makes it.
is 'every kind of step is in ramet_steps(3)' \
	"$(rows "$src/child/kinds.def" KIND | while read -r kind; do
		grep -qwF "$kind" "$man/ramet_steps.3.scd" ||
			echo "$kind" | tr 'a-z-' 'A-Z_' | sed 's/^/RAMET_/' | missing "$man/ramet_steps.3.scd"
	done)" ''
is 'every rule of ramet is in ramet_launch(3)' \
	"$(rows "$src/launch/rules.def" RULE | missing "$man/ramet_launch.3.scd")" ''
is 'every rule about specs is in ramet_launch(3)' \
	"$(sed -n 's/^\t{"\([a-z-]*\)", E.*/\1/p' "$src/spec/spec.c" | missing "$man/ramet_launch.3.scd")" ''
is 'every preset is in ramet_launch(3)' \
	"$(rows "$src/spec/tables.def" PRESET | missing "$man/ramet_launch.3.scd")" ''
is 'every resource is in ramet(3)' \
	"$(rows "$src/spec/tables.def" RESOURCE | missing "$man/ramet.3.scd")" ''
is 'every field of the spec is in ramet_launch(3)' \
	"$(sed -n '/^struct ramet_spec {/,/^};/p' "$SRCDIR/include/ramet/ramet.h" |
		sed -n '/^\t\t/d; s,/\*.*,,; s/^\t.*[ *(]\([a-z_]*\)\(;\|)(void \*);\).*/\1/p' |
		grep -vx size | sed 's/.*/_&_/' | missing "$man/ramet_launch.3.scd")" ''

# Options are those of --help, columns the rows of the table.
is 'every option and column of ramet tree is in ramet-tree(1)' \
	"$({
		"$RAMET" tree --help | sed -nE 's/^  (-., |    )(--[a-z]+).*/\2/p'
		sed -nE 's/^COLUMN\("([A-Z]+)", "([a-z_]+)".*/\1\n\2/p' "$src/tree/columns.def"
	} | missing "$man/ramet-tree.1.scd")" ''

is 'every option of ramet trace is in ramet-trace(1)' \
	"$("$RAMET" trace --help | sed -nE 's/^  (-., |    )(--[a-z-]+).*/\2/p' | missing "$man/ramet-trace.1.scd")" ''
is 'every option and workload of ramet bench is in ramet-bench(1)' \
	"$("$RAMET" bench --help | sed -nE 's/^  (-., |    )(--[a-z-]+).*/\2/p; s/^  ([a-z]+)  .*/\1/p' |
		missing "$man/ramet-bench.1.scd")" ''
is 'every key of its JSON is there, and every column of CSV' \
	"$(sed -nE 's/.*(put_[a-z]+|begin)\(w, "([A-Za-z0-9_]+)".*/\2/p' "$src/bench/json.c" |
		cat - <(sed -n 's/.*fputs("\(series.*\)\\n".*/\1/p' "$src/bench/csv.c" | tr , '\n') |
		sort -u | missing "$man/ramet-bench.1.scd")" ''

# A page that a page refers to is ours and there, or is the system's.
is 'pages refer to pages that are there' \
	"$(grep -hoE '\*ramet[a-z_-]*\*\([0-9]\)' "$man"/*.scd | tr -d '*()' | sort -u |
		sed 's/\(.\)$/.\1.scd/' | while read -r page; do
		[ -e "$man/$page" ] || echo "$page"
	done)" ''

done_testing
