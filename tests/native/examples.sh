# SPDX-License-Identifier: MIT
# The examples on libramet-rt do what they say, and are a few KB each.
. "$SRCDIR/tests/tap.sh"

here=$BUILDDIR/examples/rt

is 'no example is left out' "$(cd "$SRCDIR/examples/rt" && printf 'rt-%s\n' *.c)" \
	"$(find "$here" -maxdepth 1 -type f -name 'rt-*' -printf '%f.c\n' | sort)"
is 'every example uses the public headers alone' \
	"$(grep -h '#include "' "$SRCDIR"/examples/rt/*.[ch] | sort -u)" '#include "rt.h"'
for name in checksum echo init; do
	size=$(stat -c %s "$here/rt-$name")
	diag "rt-$name: $size bytes"
	ok "rt-$name has at most 16 KiB" test "$size" -le 16384
done

if [ "$CAN_RUN" != yes ]; then
	skip 1 'built for another machine'
	done_testing
	exit
fi

# ran COMMAND…: its exit status, what it printed in $TMP/out and $TMP/err.
ran() {
	"$@" >"$TMP/out" 2>"$TMP/err"
	echo $?
}

# ---- checksum ----

: >"$TMP/empty"
echo hello >"$TMP/small"
head -c 1048576 /dev/urandom >"$TMP/part"  # one part exactly
head -c 1048577 /dev/urandom >"$TMP/parts" # and a byte
head -c 9999999 /dev/urandom >"$TMP/large"
files=("$TMP/empty" "$TMP/small" "$TMP/part" "$TMP/parts" "$TMP/large")
is 'checksum: status' "$(ran "$here/rt-checksum" "${files[@]}")" 0
is 'checksum: as cksum has it' "$(cat "$TMP/out")" "$(cksum "${files[@]}")"
is 'checksum: one processor' "$(taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" \
	"$here/rt-checksum" "$TMP/large")" "$(cksum "$TMP/large")"
is 'checksum: a file that is not there' \
	"$(ran "$here/rt-checksum" "$TMP/none" "$TMP/small")" 1
is 'checksum: is named' "$(cat "$TMP/err")" "rt-checksum: $TMP/none: error 2"
is 'checksum: and the others are read' "$(cat "$TMP/out")" "$(cksum "$TMP/small")"
is 'checksum: no file' "$(ran "$here/rt-checksum")" 1

# ---- echo ----

"$here/rt-echo" 0 >"$TMP/echo" &
server=$!
for _ in {1..100}; do
	grep -q listening "$TMP/echo" && break
	sleep 0.05
done
port=$(sed -n 's/^listening on port //p' "$TMP/echo")
is 'echo: listens' "${port:+yes}" yes
# Each of these is answered while the others are open.
exec {a}<>"/dev/tcp/127.0.0.1/$port" {b}<>"/dev/tcp/127.0.0.1/$port" {c}<>"/dev/tcp/127.0.0.1/$port"
for i in 1 2 3; do
	for fd in $c $a $b; do
		echo "line $i of $fd" >&"$fd"
		read -r -t 5 -u "$fd" line
		is "echo: line $i of connection $fd" "$line" "line $i of $fd"
	done
done
is 'echo: a thread a connection' "$(find /proc/$server/task -mindepth 1 -maxdepth 1 | wc -l)" 4
exec {a}>&- {b}>&- {c}>&-
for _ in {1..100}; do
	[ "$(find /proc/$server/task -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ] && break
	sleep 0.05
done
is 'echo: which ends with it' "$(find /proc/$server/task -mindepth 1 -maxdepth 1 | wc -l)" 1
# More than a socket holds, both ways at a time.
exec {a}<>"/dev/tcp/127.0.0.1/$port"
(head -c 3000000 "$TMP/large" >&"$a") &
writer=$!
is 'echo: three megabytes come back as they were' \
	"$(timeout 20 head -c 3000000 <&"$a" | cksum)" "$(head -c 3000000 "$TMP/large" | cksum)"
wait $writer
exec {a}>&-
kill $server
wait $server 2>/dev/null
is 'echo: ended by SIGTERM' $? 143
is 'echo: no port' "$(ran "$here/rt-echo" 70000)" 1

# ---- init ----

init=$here/rt-init
is 'init: status of the program' "$(ran "$init" sh -c 'echo said; exit 7')" 7
is 'init: what it says' "$(cat "$TMP/out")" said
# shellcheck disable=SC2016 # for the inner shell
is 'init: killed by a signal' "$(ran "$init" sh -c 'kill -9 $$')" 137
is 'init: no such program' "$(ran "$init" no-such-program)" 127
is 'init: is named' "$(cat "$TMP/err")" 'rt-init: no-such-program: error 2'
is 'init: not a program' "$(ran "$init" /etc/passwd)" 126
is 'init: arguments and environment' "$(A=1 "$init" sh -c 'echo "$A$1$2"' x 2 3)" 123

# shellcheck disable=SC2016
"$init" sh -c 'trap "echo got TERM; exit 5" TERM; trap "echo got USR1" USR1; echo ready
	while :; do sleep 0.05; done' >"$TMP/said" &
pid=$!
for _ in {1..100}; do
	grep -q ready "$TMP/said" && break
	sleep 0.05
done
kill -USR1 $pid
for _ in {1..100}; do
	grep -q USR1 "$TMP/said" && break
	sleep 0.05
done
kill -TERM $pid
wait $pid
is 'init: ends as the program does after a signal' $? 5
is 'init: signals are passed on' "$(xargs <"$TMP/said")" 'ready got USR1 got TERM'

# Orphans come to it and are reaped when they end: none is left, alive or dead.
cat >"$TMP/orphans" <<'END'
init=$PPID
orphans() { cat /proc/[0-9]*/stat 2>/dev/null | awk -v init="$init" -v me=$$ '$4 == init && $1 != me'; }
for i in 1 2 3 4 5 6 7 8 9 10; do
	(sleep 1 &)
done
echo "come: $(orphans | wc -l)"
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	sleep 0.3
	[ -n "$(orphans)" ] || break
done
echo "left: $(orphans | wc -l)"
END
is 'init: reaps what is left to it' "$(timeout 30 "$init" sh "$TMP/orphans" | xargs)" \
	'come: 10 left: 0'

if unshare --pid --fork true 2>/dev/null; then
	# shellcheck disable=SC2016
	is 'init: as PID 1' "$(unshare --pid --fork --mount-proc "$init" sh -c '
		(sh -c "sleep 0.1; kill -9 \$\$" &)
		sleep 0.4
		for p in /proc/[0-9]*; do
			sed -n "s/^State:.*zombie.*/zombie/p" $p/status
		done 2>/dev/null
		echo "parent $PPID"')" 'parent 1'
else
	skip 1 'may not make a PID namespace'
fi

done_testing
