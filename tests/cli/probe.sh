# SPDX-License-Identifier: MIT
# ramet probe: the three sides agree on presets and on words of all kinds, refusals are named,
# and nothing stays behind: no task, mount, cgroup, semaphore, whoever asks and however it ends.
. "$SRCDIR/tests/tap.sh"

# What a probe makes outside its own tasks.
left() {
	local p maker
	for p in /proc/[0-9]*; do
		if [ "$(tr '\0' '\n' 2>/dev/null <"$p/cmdline" | head -n 1)" = ramet-probe-helper ]; then
			echo "task $p"
		fi
	done
	cat /proc/self/mountinfo
	# Their keys are 0x72000000 and more: before.c.
	awk 'NR > 1 && $1 > 1912602624 { print "semaphore " $2 }' /proc/sysvipc/sem
	awk '/ - cgroup2 / { print $5 }' /proc/self/mountinfo |
		xargs -r -I{} find {} -maxdepth 4 -type d -name 'ramet-probe-*' 2>/dev/null |
		while read -r p; do # another test's, whose maker lives, is no matter
			maker=${p##*/ramet-probe-}
			[ -e "/proc/${maker%%-*}" ] || echo "$p"
		done
}
# Nor is what another one had when this began, and has taken down since.
more() { diff "$TMP/before" "$TMP/after" | grep '^[<>]' | grep -vE '^< (task |semaphore |.*/ramet-probe-)'; }
left >"$TMP/before"

# A line of the matrix with one blank between words.
row() { sed -n "s/^$1  *//p" "$TMP/out" | tr -s ' ' | sed 's/ $//'; }

# Root here means what the experiments need, not the uid.
root=no
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then root=yes; fi

# ---- the presets

status 'the presets agree' 0 "$RAMET" probe --color=never
like 'in so many answers' "$(tail -n 1 "$TMP/out")" \
	'^Kernel, kcmp and rules agree on all 132 answers'
if [ $root = yes ]; then
	unlike 'as root every one was tried and witnessed' "$(cat "$TMP/out")" \
		'could not|no answer|\([a-z]+\)'
else
	skip 1 'needs CAP_SYS_ADMIN'
fi
# By hand from clone(2), not from the tables under test.
is 'fork vfork spawn nptl linuxthreads container: memory' \
	"$(row memory)" 'copy share share share share copy'
is 'files' "$(row files)" 'copy copy copy share share copy'
is 'sighand' "$(row sighand)" 'copy copy new share share copy'
is 'thread-group' "$(row thread-group)" 'new new new share new new'
is 'sysvsem' "$(row sysvsem)" 'new new new share new new'
is 'tls' "$(row tls)" 'copy share share new share copy'
is 'pid' "$(row pid)" 'share share share share share new'
like 'told by' "$(row 'told by')" '^SIGCHLD SIGCHLD SIGCHLD futex SIG[A-Z0-9+]* SIGCHLD$'
is 'parent held' "$(row 'parent held')" 'no yes yes no no no'

status 'an ordinary user finds no disagreement' 0 as_user "$RAMET" probe
like 'nor with the container in a user namespace' "$(row user)" 'new$'

# ---- one word

status 'a word of flags' 0 "$RAMET" probe 'CLONE_FILES|SIGUSR1'
like 'shares what it says' "$(grep ^files "$TMP/out")" 'share +share +same'
like 'and copies the rest' "$(grep ^memory "$TMP/out")" 'copy +copy +different'
like 'copy on write is seen' "$(grep ^memory "$TMP/out")" '1[6-9] faults'
like 'tells by its own signal' "$(grep ^exit-signal "$TMP/out")" 'SIGUSR1 +SIGUSR1 +same'

# As libramet-rt makes threads with PIDs of their own.
status "a runtime's word of flags" 0 "$RAMET" probe \
	'CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_SETTLS|CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID'
like 'has thread-local variables of its own' "$(grep ^tls "$TMP/out")" 'new +new'
like 'and is a process' "$(grep ^thread-group "$TMP/out")" 'new +new +'
like 'which wait() needs __WCLONE for' "$(grep ^wait "$TMP/out")" '__WCLONE +__WCLONE'

status 'clone(2) where clone3 refuses the word' 0 "$RAMET" probe 'CLONE_DETACHED|SIGCHLD'
like 'and it says so' "$(cat "$TMP/out")" 'clone\(CLONE_DETACHED\).*clone3 refuses'

# Ends and parents of every sort; the signals that stop or kill the parent too.
for word in 0 0x4111 0x80 0x1ff SIGKILL 'VM|VFORK|SIGKILL' SIGSTOP 'VM|VFORK|SIGSTOP' 64 \
	PARENT 'PARENT|SIGUSR1' 'VM|VFORK|PARENT' 'VM|CHILD_CLEARTID' 'VM|VFORK|CHILD_CLEARTID' \
	CHILD_SETTID 'CHILD_CLEARTID|SIGCHLD' 'VM|SIGHAND|THREAD|PIDFD' 'VM|SIGHAND|THREAD|VFORK' \
	'PTRACE|UNTRACED' 'CLEAR_SIGHAND|FILES' 'IO|SYSVSEM' 'PIDFD|PARENT_SETTID' \
	'NEWUSER|NEWNS|NEWUTS|SIGCHLD' 'NEWUSER|NEWPID|PARENT' 'NEWUSER|VM|NEWTIME'; do
	ok "$word" "$RAMET" probe "$word"
done
# No namespace of its own takes a user's semaphore away when the parent is killed.
ok 'SIGKILL of an ordinary user' as_user "$RAMET" probe SIGKILL 'VM|VFORK|SIGKILL'
if [ $root = yes ]; then
	for word in 'PARENT|NEWPID' 'VM|SIGHAND|NEWPID|SIGCHLD' \
		'NEWTIME|VM|VFORK' NEWTIME 'NEWNET|NEWIPC|FILES' \
		'INTO_CGROUP|NEWCGROUP' 'VM|SIGHAND|THREAD|INTO_CGROUP'; do
		ok "$word" "$RAMET" probe "$word"
	done
else
	skip 7 'needs CAP_SYS_ADMIN'
fi

status 'what the kernel refuses is 1' 1 "$RAMET" probe 'CLONE_SIGHAND|SIGCHLD'
like 'with the rule' "$(cat "$TMP/out")" 'sighand-needs-memory'
status 'as is what an ordinary user may not' 1 as_user "$RAMET" probe 'CLONE_NEWNET|SIGCHLD'
like 'with the error' "$(cat "$TMP/out")" 'Operation not permitted'

# ---- words at random, the same ones every time; a refusal is fine if a rule says it

names=(VM VM FS FILES SIGHAND THREAD PIDFD VFORK PARENT NEWNS SYSVSEM SETTLS PARENT_SETTID
	CHILD_CLEARTID CHILD_SETTID NEWCGROUP NEWUTS NEWIPC NEWUSER NEWPID NEWNET NEWTIME IO
	CLEAR_SIGHAND PTRACE UNTRACED)
RANDOM=1991
end=$((SECONDS + 40)) tried=0 made=0 wrong=
while [ $tried -lt 150 ] && [ $SECONDS -lt $end ]; do
	word=SIGCHLD
	for ((i = RANDOM % 6; i >= 0; i--)); do
		word+="|${names[RANDOM % ${#names[@]}]}"
	done
	[[ $word =~ THREAD|PARENT($|\|) ]] && word=${word#SIGCHLD|}
	"$RAMET" probe "$word" >"$TMP/out" 2>"$TMP/err"
	case $?:$(grep -c '^  rule ' "$TMP/out") in
	0:0) made=$((made + 1)) ;;
	1:1) ;;
	*) wrong+="$word: $(grep -h '^disagreement' "$TMP/out" "$TMP/err")"$'\n' ;;
	esac
	tried=$((tried + 1))
done
is "$tried words at random: $made agree, the rest is refused by rule" "$wrong" ''
ok 'enough of them were made' test $made -ge $((tried / 4))

# ---- JSON

status 'JSON' 0 "$RAMET" probe --json fork nptl
like 'has its schema' "$(tr -d ' \n' <"$TMP/out")" \
	'^\{"schema":1,"kernel":"[^"]+","probes":\[\{"name":"fork","call":"clone3?\('
resources='memory files fs sighand thread-group parent sysvsem io tls mnt pid net ipc uts user'
resources+=' cgroupns time cgroup exit-signal wait child-cleartid parent-held'
is 'names the resources in order' \
	"$(sed -n 's/^ *"name": *"\(.*\)",$/\1/p' "$TMP/out" | head -n 23 | xargs)" \
	"fork $resources"
is 'has a reason for each' "$(grep -c '"reason": *".' "$TMP/out")" 44
is 'and only known witnesses' \
	"$(sed -n 's/^ *"witness": *"\(.*\)",$/\1/p' "$TMP/out" |
		grep -vxc 'same\|different\|none\|unknown')" 0

# ---- the command line

status 'a wrong preset is usage' 2 "$RAMET" probe forkk
like 'with a guess' "$(cat "$TMP/err")" 'did you mean fork'
status 'a wrong flag is usage' 2 "$RAMET" probe 'CLONE_VM|CLONE_NOPE'
like 'and named' "$(cat "$TMP/err")" "'CLONE_NOPE'"
status 'a wrong option is usage' 2 "$RAMET" probe --jsn
like 'with a guess' "$(cat "$TMP/err")" 'did you mean --json'
status 'a wrong verb is usage' 2 "$RAMET" porbe
like 'with a guess' "$(cat "$TMP/err")" 'did you mean probe'
status 'help is not an error' 0 "$RAMET" probe --help
like 'and on standard output' "$(cat "$TMP/out")" '--json'
status 'version' 0 "$RAMET" --version
full() { "$RAMET" probe fork >/dev/full; }
no_output() { "$RAMET" probe fork >&-; }
no_input() { "$RAMET" probe fork <&- 2>&-; }
no_chld() { (trap '' CHLD && exec "$RAMET" probe fork PARENT); }
status 'a full disk is noticed' 1 full
status 'a closed standard output too' 1 no_output
status 'closed input and error do no harm' 0 no_input
status 'nor does an ignored SIGCHLD' 0 no_chld
status 'colour only where something differs' 0 "$RAMET" probe --color=always fork vfork
unlike 'which is nowhere' "$(cat "$TMP/out")" $'\e'

# ---- what stays

# Killed at any moment: by a signal it can answer, and by one it cannot (then the helper clears
# up, but not the cgroup of a root).
for sig in INT TERM KILL; do
	for delay in 0.002 0.005 0.009 0.014 0.02 0.03 0.05 0.08; do
		as_user "$RAMET" probe >/dev/null 2>&1 &
		sleep $delay
		kill -$sig $! 2>/dev/null
		wait $! 2>/dev/null
	done
done 2>/dev/null
# Time enough to be met, once it is ramet: this shell may lose a signal before it execs.
# shellcheck disable=SC2046
"$RAMET" probe $(yes fork | head -n 300) >/dev/null 2>&1 &
for _ in $(seq 500); do grep -qsx ramet /proc/$!/comm && break; sleep 0.02; done
sleep 0.02
kill -TERM $! 2>/dev/null
wait $! 2>/dev/null
is 'a signal ends it as signals do' $? 143

for _ in $(seq 50); do
	left >"$TMP/after"
	more >/dev/null || break
	sleep 0.2
done
is 'nothing stays' "$(more)" ''

done_testing
