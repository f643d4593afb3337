# SPDX-License-Identifier: MIT
# ramet run: signals and terminals. Whoever sends one to ramet means the program; what a terminal
# sends reaches it once; ramet ends as it does.
# shellcheck disable=SC2154 # root, userns, got, lines and user are of lib/run.sh
. "$SRCDIR/tests/tap.sh"
. "$SRCDIR/tests/lib/run.sh"

if [ "${SANITIZED-}" = yes ]; then
	skip 1 'a sanitized command starts too slowly for what is timed here'
	done_testing
	exit 0
fi

kinds=('' '-p fork' '-p linuxthreads' --setsid '--pgid 0' '--way copy' '--way futex' '--way helper')
if [ $root = yes ]; then kinds+=('-p container' '-p container --setsid' '--uid 65534'); fi
if [ $userns = yes ]; then kinds+=('--new user,pid' '--new user,pid --pgid 0'); fi

# Bash starts what runs in the background with these two ignored.
plain=(env --default-signal=INT --default-signal=QUIT)
if ! "${plain[@]}" true 2>/dev/null; then plain=(); fi

# begin ARG… -- SCRIPT: in the background; $ramet is its pid once the script has run $go.
go='echo >&5; exec 5>&-'
begin() {
	mkfifo "$TMP/begun"
	"${plain[@]}" "$RAMET" run "${@:1:$#-1}" sh -c "${*: -1}" 5>"$TMP/begun" &
	ramet=$!
	read -r _ <"$TMP/begun"
	rm "$TMP/begun"
}

state() { sed -n "s/^State:.\\(.\\).*/\\1/p" "/proc/$1/status" 2>/dev/null; }
# gone PID: ended within some seconds; a zombie that nobody waits for has ended.
gone() {
	for _ in $(seq 250); do
		case $(state "$1") in '' | Z | X) return 0 ;; esac
		sleep 0.02
	done
	return 1
}

# ends WANT: ramet does, with this status and soon, and its program with it.
ends() {
	local name=$1 want=$2 got=0
	gone $ramet || kill -KILL $ramet
	wait $ramet 2>/dev/null || got=$?
	is "$name" $got "$want"
}

# ---- forwarded

for kind in "${kinds[@]}"; do
	for sig in TERM:143 HUP:129 INT:130; do
		if [ $sig = INT:130 ] && [ ${#plain[@]} -eq 0 ]; then continue; fi
		# shellcheck disable=SC2086
		begin $kind -- "$go; exec sleep 600"
		kill -${sig%:*} $ramet
		ends "SIG${sig%:*} goes on to the program: ${kind:-spawn}" ${sig#*:}
	done
	# What the program makes of a signal is its own affair.
	# shellcheck disable=SC2086
	begin $kind -- "trap 'exit 9' USR1; $go; while :; do sleep 0.05; done"
	kill -USR1 $ramet
	ends "it may catch one: ${kind:-spawn}" 9
done
begin -- "trap '' TERM; $go; sleep 0.3; exit 4"
kill -TERM $ramet
ends 'or ignore it' 4

# A signal at any moment of the start ends both.
# Without the traps of tap.sh: a shell that is killed between fork and exec would run them. One in a
# thousand loses the signal there, so it is sent to what is no shell any more.
is_shell() { read -r comm <"/proc/$1/comm" && [ "$comm" = bash ]; }
trap - EXIT HUP INT TERM
late=
for delay in 0 0.001 0.002 0.003 0.005 0.008; do
	for kind in '' '-p container --new user' '--way copy'; do
		# shellcheck disable=SC2086
		"${plain[@]}" "$RAMET" run $kind sleep 4343 &
		ramet=$!
		for ((i = 0; i < 100000; i++)); do is_shell $ramet || break; done
		sleep $delay
		kill -TERM $ramet
		got=0
		gone $ramet || { pkill -KILL -P $ramet; kill -KILL $ramet; }
		wait $ramet || got=$?
		[ $got -eq 143 ] || late+="$kind after $delay: $got"$'\n'
	done
done 2>/dev/null
trap 'rm -rf -- "$TMP"' EXIT
trap 'exit 143' HUP INT TERM
is 'at any moment of the start' "$late" ''

# ---- stopped and continued

# begin_stopped ARG…: $child has stopped itself.
begin_stopped() {
	begin "$@" -- "$go; kill -STOP \$\$; exit 6"
	child=$(xargs <"/proc/$ramet/task/$ramet/children")
	for _ in $(seq 500); do [ "$(state "$child")" = T ] && break; sleep 0.02; done
}
begin_stopped
kill -CONT $ramet
ends 'SIGCONT goes on to it' 6
# As one in the background that reads the terminal is: nobody else would wake it to see the signal.
begin_stopped --pgid 0
kill -TERM $ramet
ends 'in a group of its own what ends it wakes it' 143
kill -KILL "$child" 2>/dev/null

# ---- the launcher's death

dies_with() {
	local child
	# shellcheck disable=SC2086
	begin $1 -- "$go; exec sleep 600"
	child=$(xargs <"/proc/$ramet/task/$ramet/children")
	kill -KILL $ramet
	wait $ramet 2>/dev/null
	ok "--pdeathsig ends it with ramet: $1" gone "$child"
	kill -KILL "$child" 2>/dev/null
}
dies_with '--pdeathsig kill'
dies_with '--pdeathsig term --way copy'
if [ $root = yes ]; then
	dies_with '--pdeathsig kill --uid 65534'
	dies_with '-p container --pdeathsig kill'
else
	skip 2 'needs CAP_SYS_ADMIN'
fi
begin -- "$go; exec sleep 600"
child=$(xargs <"/proc/$ramet/task/$ramet/children")
kill -KILL $ramet
wait $ramet 2>/dev/null
sleep 0.1
for _ in $(seq 500); do [ "$(state "$child")" = S ] && break; sleep 0.02; done
is 'without it runs on' "$(state "$child")" S
kill -KILL "$child"

# ---- a terminal

# shellcheck disable=SC2086
if ! ${CC-cc} -O1 -o "$TMP/pty" "$SRCDIR/tests/lib/pty.c" 2>/dev/null || ! "$TMP/pty" own '' true; then
	skip 20 'needs a compiler and pseudo-terminals'
	done_testing
fi

# pty OWN TEXT COMMAND…: what the terminal shows, and how it ended, blanks squeezed.
pty() {
	local code=0
	timeout -k 1 20 "$TMP/pty" "$@" >"$TMP/shown" 2>&1 || code=$?
	tr -s '\r\n\t ' ' ' <"$TMP/shown"
	echo "$code"
}
interrupt=$(printf '\003') quit=$(printf '\034')
for kind in "${kinds[@]}" '--pgid 0 --foreground 0'; do
	like "Ctrl-C ends both: ${kind:-spawn}" \
		"$(pty own "$interrupt" sh -c "trap : INT; '$RAMET' run $kind sh -c 'echo ready; exec sleep 8'; echo [\$?]")" \
		'\[130\]'
done
like 'Ctrl-\ too' \
	"$(pty own "$quit" sh -c "trap : QUIT; '$RAMET' run --rlimit core=0 sh -c 'echo ready; exec sleep 8'; echo [\$?]")" \
	'\[131\]'
# It is sent by the terminal and must not be sent on as well.
like 'once' "$(pty own "$interrupt" sh -c "trap : INT; '$RAMET' run bash -c '
	n=0; trap \"n=\\\$((n + 1))\" INT; echo ready; for i in 1 2 3 4 5; do sleep 0.1; done; echo \"<\$n>\"'")" '<1>'
is 'ramet dies of it too for its shell' \
	"$(pty own "$interrupt" "$RAMET" run sh -c 'echo ready; exec sleep 8' | grep -o '[0-9]*$')" 130

# pid, group, session, foreground group: /proc/PID/stat, fields 1, 5, 6, 8.
# shellcheck disable=SC2016
ids='set -- $(cut -d" " -f1,5,6,8 /proc/$$/stat); echo "<$(($1 == $2)) $(($1 == $3)) $(($1 == $4))>"'
like '--foreground takes the terminal' \
	"$(pty own '' "$RAMET" run --pgid 0 --foreground 0 sh -c "$ids")" '<1 0 1>'
like '--ctty makes it the session'\''s' \
	"$(pty free '' "$RAMET" run --setsid --ctty 0 sh -c "$ids; echo through >/dev/tty")" '<1 1 1> through'
like 'without it there is none' \
	"$(pty free '' "$RAMET" run --setsid sh -c "$ids; echo through >/dev/tty || echo none")" '<1 1 0> .*none'
like 'and not if another has it' \
	"$(pty own '' "$RAMET" run --setsid --ctty 0 true)" \
	'controlling terminal: Operation not permitted .*no other session has it.* 125$'
like 'nor may a stranger take the foreground' \
	"$(pty free '' "$RAMET" run --foreground 0 true)" \
	'foreground of terminal 0: Inappropriate.* Make it so first.* 125$'
# Job control: stopped by the terminal and continued by the shell.
like 'Ctrl-Z and fg' "$(pty own "$(printf '\032')" bash -mc "'$RAMET' run sh -c 'echo ready; sleep 0.5; echo on'
	echo \"<\$?>\"; fg >/dev/null; echo \"<\$?>\"")" '<14[68]> on <0>'

done_testing
