# SPDX-License-Identifier: MIT
# The protocols of threads, as models in tests/models, looked at in every order of steps there is;
# and broken in the ways each model's head names, which must be found.
. "$SRCDIR/tests/tap.sh"

if ! command -v spin >/dev/null; then
	skip 1 'no spin'
	done_testing
	exit
fi

# verdict MODEL DEFINES…: right, wrong, or what else came of it.
verdict() {
	local model=$1 dir=$TMP/$1${*:2}
	dir=${dir// /}
	mkdir -p "$dir"
	(
		cd "$dir" || exit
		spin "${@:2}" -a "$SRCDIR/tests/models/$model.pml" >spin 2>&1 || exit
		gcc -O1 -w -DSAFETY -DCOLLAPSE -DMEMLIM=600 -o pan pan.c >gcc 2>&1 || exit
		timeout 240 ./pan -m1000000 >pan.out 2>&1
	)
	if ! grep -q 'errors:' "$dir/pan.out" 2>/dev/null; then
		tail -n 5 "$dir"/spin "$dir"/gcc "$dir"/pan.out 2>/dev/null
		echo 'no verdict'
	elif grep -q 'max search depth too small\|out of memory\|Search not completed' "$dir/pan.out" &&
		grep -q 'errors: 0' "$dir/pan.out"; then
		echo 'not all seen'
	elif grep -q 'errors: 0' "$dir/pan.out"; then
		echo right
	else
		echo wrong
	fi
}

# model NAME MUTANTS DEFINES…
model() {
	local name=$1 mutants=$2 m
	is "$name ${*:3}: every order is right" "$(verdict "$name" "${@:3}")" right
	for m in $mutants; do
		is "$name ${*:3}: mutant $m is found wrong" \
			"$(verdict "$name" "-DMUTANT=$m" "${@:3}")" wrong
	done
}

model mutex '1 2 3 4'
model once '1 2 3 4'
model join '1 2 3 4 5'
model cond '1 2 3 4 5 6'
model cond '5 6' -DSIGNALS=1
model cond '4 7' -DTWICE=1
model sem '1 2 3 4 5 6 7'
model barrier '1 2 3 4 5 6 7'
model rwlock '1 2 3 4 5 6 7 8 9 10 11 12'
model rwlock '2 6' -DGIVE_UPS=4
model rwlock '1 2 8' -DW0=1 -DR1=2
model pool '1 2 3 4 5 6 7 8 9 10 11 12 13 14'
model pool '1 2 5 10' -DTHREADS=1 -DQUEUE=1

done_testing
