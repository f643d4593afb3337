# SPDX-License-Identifier: MIT
# ramet tree: a family whose sharing is known is shown as it is, in every view; whatever is hidden,
# forbidden or vanishing is said or left out, and no name of a task reaches the terminal as it is.
. "$SRCDIR/tests/tap.sh"
export LC_ALL=C
unset COLUMNS NO_COLOR

# shellcheck disable=SC2086
if ! $CC -O1 -o "$TMP/kin" "$SRCDIR/tests/lib/kin.c" -pthread 2>"$TMP/err" ||
	! $CC -o "$TMP/pty" "$SRCDIR/tests/lib/pty.c" 2>"$TMP/err"; then
	skip_all "needs a compiler: $(head -n 1 "$TMP/err")"
fi

# family COMMAND…: started by it; ends when descriptor 9 is closed, however this test ends. Made
# anew if their numbers have come round: rows are in the order of numbers.
family() {
	start_family "$@"
	if ! grep ' [0-9]' "$TMP/kin.out" | sort -cnk 2 2>/dev/null; then
		end_family
		start_family "$@"
	fi
}
start_family() {
	mkfifo "$TMP/hold" 2>/dev/null
	exec 9<>"$TMP/hold"
	: >"$TMP/kin.out"
	"$@" setsid "$TMP/kin" <"$TMP/hold" >"$TMP/kin.out" 9>&- &
	kin=$!
	for _ in $(seq 100); do
		if grep -q ready "$TMP/kin.out"; then return; fi
		sleep 0.05
	done
	diag "no family: $(cat "$TMP/kin.out")"
}
end_family() {
	exec 9>&-
	wait "$kin" 2>/dev/null
}
pid() { sed -n "s/^$1 //p" "$TMP/kin.out"; }

# tree NAME STATUS ARG…: what it printed is in $TMP/out and $TMP/err.
tree() { status "$1" "$2" timeout 20 "$RAMET" tree "${@:3}"; }
# row WORD: the line of that task, without its number, blanks squeezed.
row() { sed -nE "s/^ *$(pid "$1") +//p" "$TMP/out" | tr -s ' ' | sed 's/ $//'; }

family env
maker=$(pid maker)

# ---- the family

tree 'the family' 0 "$maker"
is 'nothing is wrong' "$(cat "$TMP/err")" ''
is 'columns' "$(head -n 1 "$TMP/out" | xargs)" \
	'PID TASK MEM FILES FS SIG IO SEM NAMESPACES NOTE'
home=$(row maker | awk '{ print $8 }')
like 'the first of all' "$(row maker)" "^maker A A A A A A (host|here)\$"
is 'a cwd' "$(row cwd)" "|-cwd - - A - - - $home shares cwd and umask with $maker"
is 'memory' "$(row memory)" \
	"|-memory A - - - - - $home shares memory with $maker, own everything else"
is 'all that threads once shared' "$(row thread)" \
	"|-old thread A A A A - - $home shares memory, files, cwd, umask and handlers with $maker; its end is told by SIGUSR2"
like 'files, I/O, undo lists' "$(row files)" \
	"- A - - A A $home shares files, I/O context and semaphore undo with $maker\$"
is 'no exit signal' "$(row silent)" "|-silent - - - - - - $home its end is told by no signal"
is 'threads' "$(row threads)" \
	"|-threads (4 threads) - - - - - - $home 1 of 4 threads has its own cwd and umask"
like 'a process whose first thread has ended' "$(row headless)" \
	"^.-headless \(3 threads\) - - - - - - $home 1 of 3 threads has its own cwd and umask; its first thread has ended\$"
is 'no zombie' "$(row zombie)" ''
like 'the sum' "$(tail -n 1 "$TMP/out")" '^9 processes, 5 of them share something with another\.$'
unlike 'a name is no escape sequence' "$(cat "$TMP/out")" $'[\e\t]'
like 'but its text' "$(cat "$TMP/out")" 'x\\x1b\[31m\) R 1 \(\\n'
is 'nor a line' "$(wc -l <"$TMP/out")" 12

LC_ALL=C.UTF-8 tree 'branches of UTF-8' 0 "$maker"
like 'where the locale has them' "$(row cwd)" '^├─cwd '
tree 'a branch' 0 "$(pid threads)"
is 'is a tree of its own' "$(row threads | cut -d' ' -f1)" threads
tree 'one of the family alone' 0 "$(pid memory)"
like 'tells with whom it shares' "$(row memory)" "^memory A .*shares memory with $maker"
tree 'colour' 0 --color=always "$maker"
like 'marks what is shared' "$(row cwd)" $'- - \e\\[36mA '
unlike 'and nothing else' "$(grep -w threads "$TMP/out")" $'\e'

tree 'named by a thread' 0 "$(find "/proc/$(pid threads)/task" -mindepth 1 -printf '%f\n' 2>/dev/null |
	grep -E '^[0-9]+$' | sort -n | tail -n 1)"
like 'is its process' "$(row threads)" '^threads \(4 threads\)'
tree 'all' 0 --all "$maker"
like 'has the zombie' "$(row zombie)" '^`-maker - - - - - - [^ ]+ zombie$'
tree 'a zombie that is named' 0 "$(pid zombie)"
like 'is shown' "$(row zombie)" 'zombie$'
if [ "$(id -u)" -eq 0 ] && grep -qs kthreadd /proc/2/comm; then
	tree 'kernel threads' 0 --all
	like 'with all' "$(cat "$TMP/out")" 'kthreadd .*kernel thread'
	tree 'without' 0
	unlike 'none' "$(cat "$TMP/out")" 'kthreadd'
	tree 'unless one is named' 0 2
	like 'by its number' "$(cat "$TMP/out")" 'kthreadd'
else
	skip 6 'no kernel threads to be seen'
fi

# ---- threads, tables, groups

tree 'a row for each thread' 0 --threads "$(pid threads)"
is 'four' "$(grep -c threads "$TMP/out")" 4
is 'below their process' "$(grep -c '[|`]-{threads}' "$TMP/out")" 3
like 'one of them by itself' "$(grep 'own cwd' "$TMP/out" | tr -s ' ')" '\{threads\} A A - A .*own cwd and umask'
tree 'a table' 0 --table "$maker"
unlike 'has no branches' "$(cat "$TMP/out")" '[|`]-'
is 'all the same rows' "$(wc -l <"$TMP/out")" 12
tree 'by memory' 0 --by memory "$maker"
is 'one group' "$(grep -c '^ *memory [A-Z]' "$TMP/out")" 1
is 'of three' "$(grep -cE '^ *[0-9]+ [|`]-' "$TMP/out")" 3
is 'and the rest' "$(tail -n 1 "$TMP/out")" '6 have memory of their own.'
tree 'by io' 0 --by io "$maker"
like 'those without' "$(tail -n 1 "$TMP/out")" 'have none\.$|have I/O context of their own'
for resource in files fs sighand sysvsem thread-group parent mnt pid net ipc uts user cgroupns time \
	cgroup; do
	tree "by $resource" 0 --by "$resource" "$maker"
done
tree 'by process: threads' 0 --by thread-group "$(pid threads)"
is 'are together' "$(grep -c '{threads}' "$TMP/out")" 3
tree 'with one' 0 --with "$(pid files)"
is 'those who share with it' "$(sed -nE 's/^ *([0-9]+) .*/\1/p' "$TMP/out" | sort -n | xargs)" \
	"$(printf '%s\n' "$maker" "$(pid thread)" "$(pid files)" | sort -n | xargs)"
like 'are told so' "$(row thread)" "files with $(pid files)"

# ---- two

tree 'a difference' 0 --diff "$maker" "$(pid memory)"
is 'titles' "$(head -n 1 "$TMP/out" | tr -s ' ')" " $maker maker $(pid memory) memory"
is 'what differs' "$(sed -n '2,/^$/s/ .*//p' "$TMP/out" | xargs)" \
	'files fs sighand io sysvsem thread-group parent'
like 'what does not' "$(grep '^the same: ' "$TMP/out")" \
	': memory, mnt, .*, cgroup, uid, gid, capabilities, no_new_privs, seccomp, exit_signal$'
tree 'neither has one' 0 --diff "$(pid boxed)" "$(pid cwd)"
like 'is not the same' "$(cat "$TMP/out")" '^(.*'$'\n'')*neither has one: .*sysvsem'
tree 'a difference of numbers' 0 --diff "$maker" "$(pid thread)"
like 'shows both' "$(tr -s ' ' <"$TMP/out")" 'exit_signal - SIGUSR2'
tree 'of one' 2 --diff "$maker"
tree 'of three' 2 --diff 1 2 3
tree 'of one that is not there' 1 --diff "$maker" 999999999
like 'is told' "$(cat "$TMP/err")" 'no task 999999999'

# ---- columns

tree 'columns' 0 -o pid,EXIT,task "$maker"
is 'in that order' "$(head -n 1 "$TMP/out" | xargs)" 'PID EXIT TASK'
is 'and nothing else' "$(wc -l <"$TMP/out")" 10
tree 'one more' 0 -o +cgroup "$maker"
is 'before the note' "$(head -n 1 "$TMP/out" | xargs)" \
	'PID TASK MEM FILES FS SIG IO SEM NAMESPACES CGROUP NOTE'
tree 'all of them' 0 -o all "$maker"
tree 'a list of them' 0 -o help
listed=$(awk '{ print $1 }' "$TMP/out" | xargs)
tree 'in --help too' 0 --help
is 'the same' "$(sed '1,/^Columns:/d' "$TMP/out" | awk '{ print $1 }' | xargs)" "$listed"
for column in $listed; do
	tree "$column" 0 -o "$column" "$maker"
done
tree 'none of that name' 2 -o pid,meme
like 'is met with a proposal' "$(cat "$TMP/err")" 'no column MEME; did you mean MEM'
tree 'no name' 2 -o pid,,task
tree 'names, rights' 0 -o caps,nnp,seccomp,uid,nspid "$maker"
like 'are those of the task' "$(sed -n 2p "$TMP/out" | tr -s ' ')" \
	"^(all|none|[a-z_0-9 ]+) - (-|filter|strict|[0-9]+ filters) +$(id -u) +$maker"
if [ "$(id -u)" -eq 0 ]; then
	tree 'namespaces' 0 -o net,uts,owner,namespaces "$(pid boxed)"
	is 'inode, owner, kinds' "$(tail -n 1 "$TMP/out" | xargs)" \
		"$(readlink "/proc/$(pid boxed)/ns/net" "/proc/$(pid boxed)/ns/uts" | tr -dc '0-9\n' |
			xargs) $home net uts"
	tree 'in the same box' 0 --with "$(pid boxed)"
	is 'is nobody else' "$(wc -l <"$TMP/out")" 2
else
	skip 4 'needs root for namespaces'
fi

# ---- wrong words

tree 'no such task' 1 999999999
like 'is told' "$(cat "$TMP/err")" '^ramet: tree: there is no task 999999999 here$'
tree 'no such task beside one' 1 "$maker" 999999999
like 'which is shown' "$(row maker)" '^maker'
for word in 0 -1 x 1x '' 99999999999; do
	tree "no number: '$word'" 2 -- "$word"
done
tree 'no resource' 2 --by memori
like 'is met with the list' "$(cat "$TMP/err")" 'one of memory files'
tree 'no way to see it' 2 --by tls
like 'is told' "$(cat "$TMP/err")" 'seen from outside'
tree 'no option' 2 --tabel
like 'is met with a proposal' "$(cat "$TMP/err")" 'did you mean --table'
tree 'two forms' 2 --table --by memory
tree 'with and numbers' 2 --with 1 2
tree 'with nobody' 1 --with 999999999
for word in 0 -1 x 1e9 nan ''; do
	tree "no time: '$word'" 2 "--watch=$word"
done
tree 'watch needs a terminal' 2 --watch
like 'and says so' "$(cat "$TMP/err")" 'needs a terminal'
tree 'watch for programs' 2 --watch --json

# ---- JSON

if command -v python3 >/dev/null; then
	cat >"$TMP/check.py" <<'END'
import json, sys
doc = json.load(open(sys.argv[1], encoding="utf-8"))
pids = dict((w, int(n)) for w, n in (l.split() for l in open(sys.argv[2]) if " " in l))
keys = ("pid process parent name threads state uid gid memory files fs sighand io sysvsem "
        "namespaces mnt pidns net ipc uts user cgroupns time owner inner_pid exit_signal "
        "capabilities no_new_privs seccomp cgroup note").split()
assert doc["schema"] == 1 and doc["unknown"] is None, doc
tasks = dict((t["pid"], t) for t in doc["tasks"])
for t in doc["tasks"]:
    assert list(t) == keys, t
maker, files = tasks[pids["maker"]], tasks[pids["files"]]
assert files["name"].startswith("x\x1b[31m) R 1 (\n"), files["name"]
assert files["parent"] == maker["pid"] and files["files"] == maker["files"] > 0
assert files["memory"] != maker["memory"] and files["io"] == maker["io"] > 0
assert tasks[pids["cwd"]]["sysvsem"] == 0
assert tasks[pids["thread"]]["exit_signal"] == "SIGUSR2" and maker["exit_signal"] == "SIGCHLD"
assert tasks[pids["silent"]]["exit_signal"] == "none"
assert isinstance(maker["no_new_privs"], bool) and isinstance(maker["namespaces"], list)
int(maker["capabilities"], 16)
shared = dict((s["resource"], s) for s in doc["shared"])
assert sorted(shared["memory"]["processes"]) == sorted(pids[w] for w in ("maker", "memory", "thread"))
assert shared["memory"]["class"] == maker["memory"]
assert all(set(n) == {"inode", "kind", "home", "owner", "owner_uid"} for n in doc["namespaces"])
assert pids["zombie"] not in tasks
END
	tree 'JSON' 0 --json "$maker"
	cp "$TMP/out" "$TMP/json"
	ok 'has all that is promised' python3 "$TMP/check.py" "$TMP/json" "$TMP/kin.out"
	tree 'of the columns asked for, by name or key' 0 --json -o PID,name "$maker"
	cp "$TMP/out" "$TMP/json"
	ok 'has those alone' python3 -c '
import json, sys
assert all(list(t) == ["pid", "name"] for t in json.load(open(sys.argv[1]))["tasks"])' "$TMP/json"
	tree 'of all' 0 --json
	cp "$TMP/out" "$TMP/json"
	ok 'is JSON' python3 -m json.tool "$TMP/json" /dev/null
	tree 'groups' 0 --json --by memory "$maker"
	cp "$TMP/out" "$TMP/json"
	ok 'in JSON' python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
assert d["by"] == "memory" and len(d["groups"]) == 1 and len(d["groups"][0]["tasks"]) == 3' "$TMP/json"
	tree 'a difference' 0 --json --diff "$maker" "$(pid memory)"
	cp "$TMP/out" "$TMP/json"
	ok 'in JSON' python3 -c '
import json, sys
d = json.load(open(sys.argv[1]))
assert "memory" in d["same"] and "files" in [x["name"] for x in d["differ"]]
assert len(d["pids"]) == 2 and d["neither"] is not None and d["not_known"] == []' "$TMP/json"
else
	skip 10 'no python3'
fi

# ---- who may not look, and what is not there

if [ "$(id -u)" -eq 0 ]; then
	status 'an ordinary user' 0 as_user timeout 20 "$RAMET" tree "$maker"
	like 'sees who there is' "$(row cwd)" '^\|-cwd \? \? \? \? \?'
	is 'and why no more' "$(cat "$TMP/err")" \
		"ramet: 9 processes may not be looked into ('?'): other users', or protected"
	status 'and in JSON' 0 as_user timeout 20 "$RAMET" tree --json "$maker"
	like 'it is a key' "$(grep unknown "$TMP/out")" 'may not be looked into'
	status 'of namespaces alone' 0 as_user timeout 20 "$RAMET" tree -o pid,mnt "$maker"
	like 'as well' "$(cat "$TMP/err")" '^ramet: 9 processes may not'
	status 'may make no process' 0 as_user prlimit --nproc=0 env ASAN_OPTIONS=detect_leaks=0 "$RAMET" tree -o pid,io,sysvsem,memory
	like 'and so cannot tell none' "$(cat "$TMP/err")" 'cannot be told from none'
	like 'which it says' "$(cat "$TMP/out")" '[0-9] +\? +\? +-'
	status 'may not compare' 0 as_user timeout 20 "$RAMET" tree --diff "$maker" "$(pid memory)"
	like 'and is told' "$(cat "$TMP/out")" 'not to be known: memory, files'
else
	skip 12 'needs root to be somebody else'
fi
in_mounts() { timeout 20 unshare -m --propagation private sh -c "$@"; }
if [ "$(id -u)" -eq 0 ] && in_mounts true 2>/dev/null; then
	status 'without /proc' 1 in_mounts 'mount -t tmpfs none /proc && exec "$0" tree' "$RAMET"
	like 'says what to do' "$(cat "$TMP/err")" 'no /proc here; mount it'
	# shellcheck disable=SC2016
	status 'hidepid' 0 in_mounts 'mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 65534 \
		--regid 65534 --clear-groups --inh-caps=-all "$0" tree' "$RAMET"
	like 'is told' "$(cat "$TMP/err")" 'does not show everybody'
	like 'its own task is there' "$(cat "$TMP/out")" 'ramet +-'
	status 'hidepid=1' 0 in_mounts 'mount -t proc -o hidepid=1 proc /proc && exec setpriv --reuid 65534 \
		--regid 65534 --clear-groups --inh-caps=-all "$0" tree' "$RAMET"
	like 'is told as well' "$(cat "$TMP/err")" 'does not show everybody'
	status 'another pid namespace' 0 timeout 20 unshare -p -f "$RAMET" tree "$maker"
	like 'cannot ask' "$(cat "$TMP/err")" 'cannot be asked.*another pid namespace'
	like 'but shows who there is' "$(row cwd)" '^\|-cwd \? \? \? \? [^ ]+$'
	status 'another one with its /proc' 0 timeout 20 unshare -p -f --mount-proc sh -c \
		'"$0" tree; true' "$RAMET"
	is 'is whole' "$(cat "$TMP/err")" ''
	like 'and calls itself here' "$(cat "$TMP/out")" ' 1 sh .* here'
else
	skip 13 'needs CAP_SYS_ADMIN'
fi
end_family

# The family of an ordinary user, seen by that user.
family as_user
if [ "$(id -u)" -eq 0 ]; then
	status "one's own family" 0 as_user timeout 20 "$RAMET" tree "$(pid maker)"
	is 'is seen as root sees it' "$(cat "$TMP/err")" ''
	like 'memory' "$(row memory)" "shares memory with $(pid maker)"
else
	skip 3 'needs root to be somebody else'
fi
end_family

# ---- tasks that come and go

storm() {
	local end=$((SECONDS + 12))
	while [ $SECONDS -lt $end ] && [ -e "$TMP/storm" ]; do
		for _ in 1 2 3 4 5 6 7 8; do (:) & done
		wait
	done
}
: >"$TMP/storm"
storm &
storm &
wrong=0
for _ in $(seq 25); do
	timeout 20 "$RAMET" tree --threads -o all >"$TMP/out" 2>"$TMP/err" || wrong=$((wrong + 1))
	if grep -qv 'may not be looked into' "$TMP/err"; then wrong=$((wrong + 1)); fi
done
rm "$TMP/storm"
wait
is 'tasks that end meanwhile are no error' $wrong 0

# ---- where it writes

status 'a full disk' 1 bash -c '"$0" tree >/dev/full' "$RAMET"
status 'a closed standard output' 1 bash -c '"$0" tree >&-' "$RAMET"
status 'closed input and error do no harm' 0 bash -c '"$0" tree <&- 2>&-' "$RAMET"
pty() { timeout 30 "$TMP/pty" own "$@"; }
status 'on a terminal' 0 pty '' "$RAMET" tree $$
status 'on a narrow one' 0 pty '' sh -c 'stty cols 40; exec "$0" tree "$1"' "$RAMET" $$
like 'it is all there' "$(tr -d '\r' <"$TMP/out")" 'tree|bash'
status 'wide ones have more columns' 0 pty '' sh -c 'stty cols 250; exec "$0" tree "$1"' "$RAMET" $$
like 'capabilities, cgroup' "$(head -n 1 "$TMP/out" | tr -s ' ')" 'CAPS NNP SECCOMP CGROUP'
status 'watch' 0 pty $'\003' sh -c '(sleep 1.5; echo ready) & exec "$0" tree --watch=0.2 "$1"' \
	"$RAMET" $$
cp "$TMP/out" "$TMP/screen"
like 'draws on another screen' "$(cat "$TMP/screen")" $'\e\\[\\?1049h'
ok 'again and again' test "$(grep -o $'\e\\[H\e\\[2J' "$TMP/screen" | wc -l)" -ge 3
like 'and gives the first one back' "$(tail -c 40 "$TMP/screen")" $'\e\\[\\?25h\e\\[\\?1049l'
status 'a signal that ends it' 143 pty '' sh -c '(sleep 1; kill -TERM $$) & exec "$0" tree --watch' \
	"$RAMET"
like 'finds the screen as it was too' "$(tail -c 40 "$TMP/out")" $'\e\\[\\?1049l'

done_testing
