# SPDX-License-Identifier: MIT
# ramet run: each option of --help does what it says, as the program itself sees it, and says
# what is wrong, why and what would mend it. Then words, exit statuses, JSON and odd starters.
# Containers: run-container.sh. Signals and terminals: run-signals.sh.
# shellcheck disable=SC2154 # root, userns, got, lines and user are of lib/run.sh
. "$SRCDIR/tests/tap.sh"
. "$SRCDIR/tests/lib/run.sh"

declare -A good bad
unmended=

# works OPTION REGEX ARG…: `ramet run ARG…` succeeds and prints this, blanks squeezed.
works() {
	good[$1]=1
	run_ramet "${@:3}"
	like "$1 ${AS:+(user) }: $(brief "${@:3}")" "$got" "^0 ($2)\$"
}

# refused OPTION REGEX ARG…: 125 and a message of this kind. A wrong value is named with its
# option, everything else has lines that say what would mend it.
refused() {
	bad[$1]=1
	run_ramet "${@:3}"
	like "$1 ${AS:+(user) }refused: $(brief "${@:3}")" "$got" "^125 (newuidmap: .*)?ramet: .*($2)"
	[[ $got =~ ^125\ ramet:\ (run: )?--[a-z-]+ ]] && return
	[[ $got =~ ^125\ ramet:\ run:\  ]] && return
	[ "$lines" -ge 2 ] || unmended+="$(brief "${@:3}"): $got"$'\n'
}

# as WHO ROW…: root (who may do what CAP_SYS_ADMIN may), user (who may not), userns (a user who
# may have a user namespace). Who is not to be had leaves a skipped row.
as() {
	local who=$1
	shift
	if [ "$1" = works ]; then good[$2]=1; else bad[$2]=1; fi
	case $who:$root:$userns in
	root:no:*) skip 1 "$2: needs CAP_SYS_ADMIN" ;;
	userns:*:no) skip 1 "$2: needs user namespaces for ordinary users" ;;
	root:*) "$@" ;;
	*) AS=as_user "$@" ;;
	esac
}

# from MAJOR MINOR ROW…: needs this kernel.
from() {
	if at_least "$1" "$2"; then
		"${@:3}"
		return
	fi
	skip 1 "needs Linux $1.$2"
	case " ${*:3:4} " in
	*' works '*) good[$(option_of "${@:3}")]=1 ;;
	*) bad[$(option_of "${@:3}")]=1 ;;
	esac
}
option_of() {
	while [[ $1 != --* ]]; do shift; done
	echo "$1"
}

mkdir -m 755 "$TMP/dir" "$TMP/mnt"
mkdir -m 000 "$TMP/closed"
echo inside >"$TMP/dir/file"

# ---- what is shared

works --preset 'way copy .*' --preset fork -n true
works --preset 'way held .*' -p vfork -n true
works --preset 'way held .*' -pspawn -n true
refused --preset "--preset: 'vfrok' is not a preset \(fork, vfork, spawn" --preset vfrok true
refused --preset 'rule exec-in-thread\) .*--share' --preset nptl true
# shellcheck disable=SC2016
works --share /usr --share fs sh -c 'cd /usr; readlink /proc/$PPID/cwd'
refused --share "--share: 'mem' is not a list of resources \(memory, files" --share mem true
refused --share 'share memory \(EINVAL, rule sighand-needs-memory\) Add --share memory' \
	--share sighand --copy memory true
refused --share 'rule exec-in-thread\)' --share thread-group true
refused --share '--share parent .* could not wait' --share parent true
refused --share 'rule descriptor-steps-need-own-table\) .*--dup' --share files --dup 1:7 true
# shellcheck disable=SC2016
works --copy "$PWD" --preset linuxthreads --copy fs sh -c 'cd /usr; readlink /proc/$PPID/cwd'
refused --copy "--copy: 'fies' is not a list of resources" --copy fies true
refused --copy 'rule cannot-be-copied\)' --copy pid true
refused --copy 'rule choose-once\) .*--share, --copy and --new' --copy fs --share fs true
works --new ok --new sighand sh -c 'echo ok'
as userns works --new '0 new' --new user,uts sh -c \
	"id -u; [ \$(readlink /proc/self/ns/uts) != $(readlink /proc/self/ns/uts) ] && echo new"
as root works --new '(new ){6}new' --new mnt,pid,net,ipc,uts,cgroupns,time sh -c \
	"cd /proc/self/ns; for ns in mnt pid net ipc uts cgroup time; do
		grep -qsF \"\$(readlink \$ns)\" $TMP/namespaces || echo new; done"
refused --new "--new: 'pids' is not a list of resources" --new pids true
refused --new 'rule cannot-be-new\)' --new memory true
refused --new '--new cgroup needs --cgroup DIR' --new cgroup true
as user refused --new 'CAP_SYS_ADMIN \(rule new-namespace-needs-admin\) Add --new user' --new uts true

# ---- the process

works --cwd /usr --cwd /usr pwd
refused --cwd 'step 1 of [0-9]+, chdir to /nope: No such file.* Make it' --cwd /nope true
as user refused --cwd 'chdir to .*/closed: Permission denied.* Give that identity' \
	--cwd "$TMP/closed" true
works --umask 0027 --umask 027 sh -c umask
refused --umask "--umask: '9' is not an octal mask from 0 to 777" --umask 9 true
refused --umask "--umask: '1000' is not" --umask 1000 true
refused --umask '--umask needs a value: MASK' --umask
works --argv0 other --argv0 other sh -c 'echo $0'
refused --argv0 '--argv0 needs a value' --argv0
works --env '1 unset' --env A=1 --env B sh -c 'echo $A ${B-unset}'
works --env 'A=2' --clear-env --env A=1 --env A=2 "$(type -P env)"
works --env 'AB=1' --clear-env --env A=1 --env AB=1 --env A "$(type -P env)"
refused --env "--env: '=x' is not NAME=VALUE or NAME" --env =x true
works --clear-env 'A=1' --clear-env --env A=1 "$(type -P env)"
refused --clear-env '--clear-env takes no value' --clear-env=yes true
works --exec-fd Linux --exec-fd 9 ramet-no-such-program -s 9<"$(type -P uname)"
refused --exec-fd "--exec-fd: 'x' is not a descriptor" --exec-fd x true
works --rlimit '100 200' --rlimit nofile=100:200 sh -c 'ulimit -Sn; ulimit -Hn'
works --rlimit 0 --rlimit core=0 sh -c 'ulimit -c'
refused --rlimit "--rlimit: 'nofiles=1' is not a limit: NAME=SOFT\[:HARD\].*nofile" \
	--rlimit nofiles=1 true
refused --rlimit "--rlimit: 'nofile=many' is not a limit" --rlimit nofile=many true
refused --rlimit 'limit nofile to 2:1: Invalid argument The soft limit is above.* Give soft:hard' \
	--rlimit nofile=2:1 true
as user refused --rlimit 'limit nofile to .*not permitted .*CAP_SYS_RESOURCE' \
	--rlimit nofile=unlimited true
works --nice 19 --nice 19 nice
refused --nice "--nice: '20' is not a nice value from -20 to 19" --nice 20 true
as user refused --nice 'set nice to -20: Permission denied .*CAP_SYS_NICE.* Take a larger' \
	--nice -20 true
# Policy and priority: /proc/PID/stat, fields 41 and 40.
policy='{ print $41, $40 }'
works --sched '3 0' --sched batch awk "$policy" /proc/self/stat
works --sched '5 0' --sched idle awk "$policy" /proc/self/stat
as root works --sched '1 7' --sched fifo:7 awk "$policy" /proc/self/stat
# shellcheck disable=SC2016
as root works --sched '2 3 0 0' --sched rr:3:reset sh -c \
	'cut -d" " -f41,40 /proc/$$/stat | { read -r p q; echo $q $p; }; awk "{ print \$41, \$40 }" /proc/self/stat'
refused --sched "--sched: 'deadline' is not a policy \(other, batch" --sched deadline true
refused --sched "--sched: 'fifo:x' is not" --sched fifo:x true
refused --sched 'policy fifo, priority 0: Invalid argument fifo and rr take a priority from 1' \
	--sched fifo true
as user refused --sched 'policy rr, priority 1: .*not permitted .*CAP_SYS_NICE.* Take other' \
	--sched rr:1 true
if type -P ionice >/dev/null; then
	works --ioprio idle --ioprio idle ionice
	works --ioprio 'best-effort: prio 7' --ioprio best-effort:7 ionice
else
	good[--ioprio]=1
	skip 2 'needs ionice'
fi
refused --ioprio "--ioprio: 'best-effort:8' is not a class .*from 0 to 7" --ioprio best-effort:8 true
refused --ioprio "--ioprio: 'fast' is not a class \(none, realtime" --ioprio fast true
as user refused --ioprio 'realtime, level 1: .*not permitted .*CAP_SYS_ADMIN.* Take best-effort' \
	--ioprio realtime:1 true
cpu=$(sed -n 's/^Cpus_allowed_list:.*[^0-9]\([0-9]*\)$/\1/p' /proc/self/status)
works --cpus "Cpus_allowed_list: $cpu" --cpus "$cpu" grep ^Cpus_allowed_list /proc/self/status
refused --cpus "--cpus: '3-1' is not a list of processors" --cpus 3-1 true
refused --cpus "--cpus: '0,' is not a list of processors" --cpus 0, true
refused --cpus 'affinity: Invalid argument None of these .* Name others; .*Cpus_allowed_list' \
	--cpus 1023 true
works --oom-score-adj 1000 --oom-score-adj 1000 cat /proc/self/oom_score_adj
is '--oom-score-adj is not ramet'\''s own, nor ours' "$(cat /proc/self/oom_score_adj)" \
	"$(cat /proc/$PPID/oom_score_adj)"
refused --oom-score-adj "--oom-score-adj: '1001' is not a number from -1000 to 1000" \
	--oom-score-adj 1001 true
as user refused --oom-score-adj 'set oom_score_adj to -1000: Permission denied .*CAP_SYS_RESOURCE' \
	--oom-score-adj -1000 true
works --timer-slack 4321 --timer-slack 4321 cat /proc/self/timerslack_ns
refused --timer-slack "--timer-slack: '0' is not a number of nanoseconds" --timer-slack 0 true
works --personality 00040000 --personality 0x40000 cat /proc/self/personality
refused --personality "--personality: 'linux32' is not a number below 2\^32" --personality linux32 true
refused --personality "'0x100000000' is not a number" --personality 0x100000000 true
pid=$((20000 + RANDOM % 9000))
while kill -0 $pid 2>/dev/null || [ -e /proc/$pid ]; do pid=$((pid + 1)); done
# shellcheck disable=SC2016
as root works --tid $pid --tid $pid sh -c 'echo $$'
refused --tid "--tid: '0' is not a pid, or several" --tid 0 true
refused --tid "--tid: '5,x' is not a pid" --tid 5,x true
as root refused --tid 'File exists: .*in use.*rule set-tid-taken\) Take another --tid' --tid $$ true
as user refused --tid 'CAP_CHECKPOINT_RESTORE.*rule set-tid-needs-privilege' --tid $pid true

# ---- identity and rights

as root works --uid '65534 0' --uid 65534 sh -c 'id -u; id -g'
refused --uid "--uid: '-1' is not an id from 0 to 4294967294" --uid -1 true
refused --uid "--uid: '4294967295' is not an id" --uid 4294967295 true
refused --uid "--uid: 'nobody' is not an id" --uid nobody true
as user refused --uid 'become user 0: .*not permitted .*CAP_SETUID.* Run as root, or' \
	--keep-groups --uid 0 true
as root works --gid '65534 65534' --gid 65534 sh -c 'id -g; id -G'
refused --gid "--gid: '1x' is not an id" --gid 1x true
as user refused --gid 'become group 0: .*not permitted .*CAP_SETGID' --keep-groups --gid 0 true
# By hand: root with groups 4 and 5 beside, kept and dropped.
groups() { setpriv --groups 4,5 "$RAMET" run "$@"; }
good[--keep-groups]=1
if [ $root = yes ]; then
	is '--keep-groups keeps them' "$(groups --keep-groups --uid 65534 --gid 9 id -G)" '9 4 5'
	is 'without it they are dropped' "$(groups --uid 65534 --gid 9 id -G)" 9
else
	skip 2 'needs CAP_SETGID'
fi
refused --keep-groups '--keep-groups takes no value' --keep-groups=4 true
as root works --groups '9 4 5' --groups 4,5 --gid 9 id -G
refused --groups "--groups: '4,adm' is not a list of group ids" --groups 4,adm true
as user refused --groups 'set supplementary groups 4: .*not permitted .*CAP_SETGID' --groups 4 true
as userns works --uid-map '0 65534 1' --new user --uid-map 0:65534:1 xargs -a /proc/self/uid_map
as root works --uid-map '5' --new user --uid-map 0:0:1,1:100000:9 --uid 5 id -u
refused --uid-map "--uid-map: '0:0' is not a list of maps, INSIDE:OUTSIDE:COUNT" --uid-map 0:0 true
refused --uid-map 'rule id-map-needs-user-namespace\) Add --new user' --uid-map 0:0:1 true
as userns refused --uid-map 'id maps uid 0 1000 1.*not permitted.*subuid' \
	--new user --uid-map 0:1000:1 true
as root refused --uid-map 'id maps .*Invalid argument.*overlap.* Correct the map' \
	--new user --uid-map 0:0:1,0:9:1 true
as userns works --gid-map '7 65534 1' --new user --gid-map 7:65534:1 xargs -a /proc/self/gid_map
refused --gid-map "--gid-map: 'a:b:c' is not a list of maps" --gid-map a:b:c true
as root works --caps 'CapInh: 0+21 CapPrm: 0+21 CapEff: 0+21 CapBnd: 0+21 CapAmb: 0+21' \
	--caps chown,CAP_KILL grep ^Cap /proc/self/status
as root works --caps 'CapPrm: 0+1 CapEff: 0+1 CapBnd: 0+1' \
	--caps chown --uid 65534 grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status
as root works --caps 'CapEff: 0+ CapBnd: 0+' --caps none grep -E '^Cap(Eff|Bnd)' /proc/self/status
refused --caps "--caps: 'fly' is not a list of capabilities .*'all' or 'none'" --caps fly true
as user refused --caps 'bound capabilities to chown: .*not permitted .*CAP_SETPCAP.* new' \
	--caps chown true
as root works --bounding 'CapBnd: 0+20' --bounding kill grep ^CapBnd /proc/self/status
as userns works --bounding 'CapBnd: 0+20' --new user --bounding kill grep ^CapBnd /proc/self/status
refused --bounding "--bounding: 'kill,' is not a list of capabilities" --bounding kill, true
as user refused --bounding 'bound capabilities to none: .*not permitted' --bounding none true
as root works --ambient 'CapEff: 0+1 CapAmb: 0+1' \
	--ambient chown --uid 65534 grep -E '^Cap(Eff|Amb)' /proc/self/status
refused --ambient "--ambient: 'root' is not a list of capabilities" --ambient root true
as user refused --ambient 'set capabilities .*not permitted .*CapPrm' --ambient chown true
works --keep-caps '.* keep capabilities through the change of user .*' -n --keep-caps true
refused --keep-caps '--keep-caps takes no value' --keep-caps=chown true
as root refused --keep-caps 'keep capabilities .*not permitted .*locked' --securebits keep-caps-locked --keep-caps true
as root works --securebits 'CapEff: 0+' --securebits noroot,noroot-locked \
	grep ^CapEff /proc/self/status
refused --securebits "--securebits: 'root' is not a list of noroot" --securebits root true
as user refused --securebits 'set securebits 0x1: .*not permitted .*CAP_SETPCAP.* Run as root' \
	--securebits noroot true
works --no-new-privs 'NoNewPrivs: 1' --no-new-privs grep ^NoNewPrivs /proc/self/status
refused --no-new-privs '--no-new-privs takes no value' --no-new-privs=1 true

# struct sock_filter: uname is EPERM, all else allowed; nothing allowed; no program at all.
case $(uname -m) in
x86_64) uname_call='\77' ;;
*) uname_call='\240' ;;
esac
allow='\6\0\0\0\0\0\377\177' deny='\6\0\0\0\1\0\5\0'
# shellcheck disable=SC2059
{
	printf "\40\0\0\0\0\0\0\0\25\0\0\1$uname_call\0\0\0$deny$allow" >"$TMP/uname.bpf"
	printf "$deny" >"$TMP/deny.bpf"
	printf "${allow}x" >"$TMP/odd.bpf"
	printf '\377\377\0\0\0\0\0\0' >"$TMP/none.bpf"
}
works --seccomp 'Seccomp: 2 denied' --no-new-privs --seccomp "$TMP/uname.bpf" \
	sh -c 'grep ^Seccomp: /proc/self/status; uname -s 2>/dev/null || echo denied'
refused --seccomp "--seccomp: '/nope' is not a file of 1 to 4096 BPF instructions" --seccomp /nope true
refused --seccomp 'odd.bpf. is not a file' --seccomp "$TMP/odd.bpf" true
refused --seccomp 'load a system call filter: Invalid argument .* Compile it anew' \
	--no-new-privs --seccomp "$TMP/none.bpf" true
as user refused --seccomp 'call filter: Permission denied .*no_new_privs.* Give up' \
	--seccomp "$TMP/uname.bpf" true
run_ramet --no-new-privs --seccomp "$TMP/deny.bpf" true
like 'a filter that denies exec is named' "$got" '^126 .*exec true.*not permitted .*filter .* execve'
run_ramet --no-new-privs --allow / true
if [[ $got =~ ^0 ]]; then
	works --allow-read 'inside no no' --no-new-privs --allow-read / \
		sh -c "cat $TMP/dir/file; { echo x >$TMP/dir/new; } 2>&- || echo no; mkdir $TMP/dir/d 2>&- || echo no"
	works --allow 'yes no' --no-new-privs --allow-read / --allow "$TMP/dir" \
		sh -c "echo yes >$TMP/dir/new && cat $TMP/dir/new; mkdir $TMP/d 2>&- || echo no"
	rm -f "$TMP/dir/new"
	refused --allow-read 'allow reading .*below /nope: No such file.* Name one' --allow-read /nope true
	refused --allow 'allow everything below /nope: No such file' --allow /nope true
	as user refused --allow 'deny all other paths: .*not permitted Landlock needs no_new_privs' \
		--allow / true
else
	refused --allow 'Landlock' --no-new-privs --allow / true
	refused --allow-read 'Landlock' --no-new-privs --allow-read / true
	good[--allow]=1 good[--allow-read]=1
	skip 3 'needs Landlock'
fi

# ---- session, descriptors, signals

# pid, process group and session: /proc/PID/stat, fields 1, 5, 6.
# shellcheck disable=SC2016
ids='set -- $(cut -d" " -f1,5,6 /proc/$$/stat); echo $(($1 == $2)) $(($1 == $3))'
works --setsid '1 1' --setsid sh -c "$ids"
refused --setsid 'rule setsid-makes-a-group\) .*--pgid' --setsid --pgid 0 true
works --pgid '1 0' --pgid 0 sh -c "$ids"
refused --pgid "--pgid: '-1' is not a process group, or 0" --pgid -1 true
refused --pgid 'join process group 99999999: .*not permitted .* 0 for a new one' --pgid 99999999 true
works --dup hello --dup 1:7 sh -c 'echo hello >&7'
# shellcheck disable=SC2216
works --dup 'out err' --dup 5:6 --dup 6:5 sh -c 'cat <&5; cat <&6' 5< <(echo err) 6< <(echo out)
refused --dup "--dup: '1' is not two descriptors, FROM:TO" --dup 1 true
refused --dup 'make descriptor 99 descriptor 1: Bad file.* Open it first' --dup 99:1 true
refused --dup 'rule target-once\)' --dup 0:7 --dup 1:7 true
fds() { works "$1" "$2" "${@:3}" sh -c 'for f in 6 7 8; do [ -e /proc/$$/fd/$f ] && echo $f; done; :'; }
fds --close-fds '' --close-fds 6</dev/null 7</dev/null 8</dev/null
fds --keep-fd '7' --keep-fd 7 --close-fds 6</dev/null 7</dev/null 8</dev/null
refused --close-fds '--close-fds takes no value' --close-fds=3 true
refused --keep-fd "--keep-fd: '-1' is not a descriptor" --keep-fd -1 true
refused --keep-fd 'keep descriptor 77 open: Bad file.* Open it first' --keep-fd 77 true
# Numbers that are free when ramet starts are soon its own.
for option in '--keep-fd 3' '--dup 3:7' '--exec-fd 3' '--dup 3:7 --json /dev/null'; do
	# shellcheck disable=SC2086
	refused "${option%% *}" 'descriptor 3: Bad file.* not started with it.* Open it first' $option true 3<&-
done
refused --dup 'descriptor 0: Bad file.* not started with it' --dup 0:7 true 0<&-
works --block-signals 'SigBlk: 0+4200' --block-signals usr1,SIGTERM grep ^SigBlk /proc/self/status
refused --block-signals "--block-signals: 'usr9' is not a list of signals" --block-signals usr9 true
works --ignore-signal 'SigIgn: 0+200' --ignore-signal usr1 grep ^SigIgn /proc/self/status
refused --ignore-signal "--ignore-signal: 'foo' is not a signal, or 'all'" --ignore-signal foo true
refused --ignore-signal 'SIGKILL and SIGSTOP.*rule step-signal-range\)' --ignore-signal kill true
good[--default-signal]=1
ignored() { (trap '' USR1 && "$RAMET" run "$@" grep ^SigIgn /proc/self/status); }
like 'an ignored signal stays so' "$(ignored)" '0200$'
like '--default-signal' "$(ignored --default-signal usr1)" '0000$'
refused --default-signal "--default-signal: '65' is not a signal" --default-signal 65 true
refused --pdeathsig "--pdeathsig: 'kil' is not a signal" --pdeathsig kil true
# An orphan's parent is the program.
# shellcheck disable=SC2016
works --subreaper mine --subreaper sh -c 'sh -c "sleep 1 & echo \$!" >'"$TMP/pid"'
	read -r p <'"$TMP/pid"'; set -- $(cat /proc/$p/stat); [ $4 = $$ ] && echo mine; kill $p'
refused --subreaper '--subreaper takes no value' --subreaper=1 true
# Successes of these two need a terminal, that of --pdeathsig a dead ramet: run-signals.sh.
good[--ctty]=elsewhere good[--foreground]=elsewhere good[--pdeathsig]=elsewhere
refused --ctty 'descriptor 0 the controlling terminal: Inappropriate.* pseudo-terminal' \
	--setsid --ctty 0 true
refused --ctty "--ctty: 'tty' is not a descriptor" --ctty tty true
refused --foreground 'foreground of terminal 0: Inappropriate' --foreground 0 true
refused --foreground "--foreground: '' is not a descriptor" --foreground '' true

# ---- namespaces

as root works --hostname inner --new uts --hostname inner uname -n
as userns works --hostname inner --new uts,user --hostname inner uname -n
refused --hostname 'rename the whole machine.*rule hostname-needs-own-uts\) Add --new uts' \
	--hostname inner true
as userns refused --hostname 'set the host name to .*Invalid argument .*64.* Take a shorter' \
	--new uts,user --hostname "$(printf 'a%.0s' {1..65})" true
as root works --bind inside --new mnt --bind "$TMP/dir:$TMP/mnt" cat "$TMP/mnt/file"
as userns works --bind inside --new mnt,user --bind "$TMP/dir:$TMP/mnt" cat "$TMP/mnt/file"
refused --bind "--bind: '/etc' is not a source and an absolute target, SRC:DST" --new mnt --bind /etc true
refused --bind 'rule mounts-need-own-namespace\) Add --new mnt' --bind /usr:/mnt true
as userns refused --bind 'bind all of /nope to .*No such file.* Make the target' \
	--new mnt,user --bind "/nope:$TMP/mnt" true
as userns refused --bind 'bind all of .*(Not a directory|Invalid argument) A file goes on a file' \
	--new mnt,user --bind "$TMP/dir/file:$TMP/mnt" true
from 5 12 as root works --ro-bind 'inside no' --new mnt --ro-bind "$TMP/dir:$TMP/mnt" \
	sh -c "cat $TMP/mnt/file; touch $TMP/mnt/x 2>/dev/null || echo no"
from 5 12 as userns works --ro-bind 'inside no' --new mnt,user --ro-bind "$TMP/dir:$TMP/mnt" \
	sh -c "cat $TMP/mnt/file; touch $TMP/mnt/x 2>/dev/null || echo no"
refused --ro-bind "--ro-bind: 'dir:mnt' is not a source and an absolute" --new mnt --ro-bind dir:mnt true
as root works --tmpfs 'tmpfs' --new mnt --tmpfs "$TMP/mnt" stat -f -c %T "$TMP/mnt"
as userns works --tmpfs 'tmpfs' --new mnt,user --tmpfs "$TMP/mnt" stat -f -c %T "$TMP/mnt"
refused --tmpfs "--tmpfs: 'mnt' is not an absolute path" --new mnt --tmpfs mnt true
as userns refused --tmpfs 'mount tmpfs on /nope: No such file.* Make it' --new mnt,user --tmpfs /nope true
as root works --proc '1' --new mnt,pid --as-pid-1 --proc "$TMP/mnt" readlink "$TMP/mnt/self"
refused --proc "--proc: 'mnt' is not an absolute path" --new mnt --proc mnt true
refused --proc 'rule mounts-need-own-namespace\) Add --new mnt' --proc /proc true
as userns refused --proc 'mount procfs on /nope: No such file.* Make it' \
	--new mnt,pid,user --proc /nope true
as root works --propagation 'private' --new mnt findmnt -no PROPAGATION /
as root works --propagation 'shared' --new mnt --propagation shared findmnt -no PROPAGATION /
refused --propagation "--propagation: 'rshared' is not private, slave or shared" \
	--new mnt --propagation rshared true
refused --propagation 'rule mounts-need-own-namespace\) Add --new mnt' --propagation slave true
refused --root 'rule mounts-need-own-namespace\) Add --new mnt' --root / true
as userns refused --root 'take /nope as the root: No such file.* Name one' --new mnt,user --root /nope true
as userns refused --root 'take .*/file as the root: Not a directory.* Name one' \
	--new mnt,user --root "$TMP/dir/file" true
as root works --clock 'boottime 86400 0' --new time --clock boottime:86400 \
	grep ^boottime /proc/self/timens_offsets
as userns works --clock 'monotonic 5 0' --new time,user --clock monotonic:5 \
	grep ^monotonic /proc/self/timens_offsets
refused --clock "--clock: 'realtime:5' is not a clock and seconds" --clock realtime:5 true
refused --clock 'rule time-offset-needs-own-time\) Add --new time' --clock boottime:5 true
as userns refused --clock 'shift clock boottime by -99999999.*out of range .* Take a smaller' \
	--new time,user --clock boottime:-999999999 true
refused --join "--join: 'init' is not a process with namespaces, PID\[:user,mnt" --join init true
refused --join "--join: '4194304' is not a live process" --join 4194304 true
refused --join "--join: '/etc/passwd' is not a namespace's file" --join /etc/passwd true
refused --join "--join: '$$:files' is not" --join $$:files true
as user refused --join 'join namespaces CLONE_NEWUTS .*not permitted .*CAP_SYS_ADMIN' \
	--join /proc/self/ns/uts true
refused --cgroup "--cgroup: '/nope' is not the directory of a cgroup" --cgroup /nope true
refused --cgroup "--cgroup: '/tmp' is not the directory of a cgroup" --cgroup /tmp true
refused --as-pid-1 '--as-pid-1 needs a new pid namespace: add --new pid' --as-pid-1 true
refused --as-pid-1 '--as-pid-1 takes no value' --as-pid-1=1 true
# Successes of these are in run-container.sh.
good[--root]=elsewhere good[--join]=elsewhere good[--cgroup]=elsewhere good[--as-pid-1]=elsewhere

# ---- how it is started, what is told

for way in held futex copy helper; do
	works --way $way --way $way echo $way
	works --way "way $way .*" --way $way -n true
done
refused --way "--way: 'fast' is not a way \(held, futex, copy, helper\)" --way fast true
as root refused --way 'rule way-cannot\) Leave --way out' --way held --uid 65534 true
works --no-fallback ok --no-fallback echo ok
refused --no-fallback '--no-fallback takes no value' --no-fallback=1 true
works --start-timeout ok --start-timeout 20 echo ok
refused --start-timeout "--start-timeout: '0' is not a number of seconds" --start-timeout 0 true
works --json ok --json "$TMP/json" echo ok
refused --json '--json: cannot open /nope/x: No such file' --json /nope/x true
refused --json '--json: cannot open 77: Bad file' --json 77 true
refused --json '--json: cannot open 4294967297: Bad file' --json 4294967297 true
refused --json '--json: cannot write /dev/full: No space' --json /dev/full true
works --dry-run 'way held .* clone3 CLONE_VM.* 1 child chdir to /usr 2 child restore .* 3 child exec true .*' \
	--cwd /usr --dry-run true
refused --dry-run 'rule exec-in-thread\)' -n --share thread-group true
works --color ok --color=never echo ok
refused --color "--color: 'red' is not auto|always|never" --color red true
works --help '.*--preset=NAME.*' --help
refused --help '--help takes no value' --help=all

options=$("$RAMET" run --help | sed -nE 's/^  (-., |    )(--[a-z0-9-]+).*/\2/p')
is 'every option of --help is tried' \
	"$(for o in $options; do [ "${good[$o]-}" ] || echo "$o"; done)" ''
is 'and tried wrong' "$(for o in $options; do [ "${bad[$o]-}" ] || echo "$o"; done)" ''
ok 'they are many' test "$(wc -w <<<"$options")" -ge 55
is 'whatever is refused says what would mend it' "$unmended" ''
is 'every option has its paragraph in ramet-run(1)' \
	"$(for o in $options; do
		grep -qE "^(\*-.\*, )?\*$o\*(\$|=)" "$SRCDIR/man/ramet-run.1.scd" || echo "$o"
	done)" ''
is 'and the page has no other' \
	"$(grep -oE '^(\*-.\*, )?\*--[a-z0-9-]+\*' "$SRCDIR/man/ramet-run.1.scd" |
		grep -oE -- '--[a-z0-9-]+' | grep -vxFe "$options")" ''

# ---- words

wrong() {
	run_ramet "${@:3}"
	like "$1" "$got" "$2"
}
wrong 'no program' '^125 ramet: run: no program named'
wrong 'nor behind --' '^125 ramet: run: no program named' --
wrong 'a wrong option is guessed' '^125 .*no option --presett; did you mean --preset\?' --presett
wrong 'and another' '^125 .*no option --ro-bnd; did you mean --ro-bind\?' --ro-bnd
wrong 'or not' '^125 .*no option --xyzzyfoo; see ramet run --help' --xyzzyfoo
wrong 'nor a letter' '^125 .*no option -x' -nx true
wrong 'one step twice is told by name' '^125 .*(umask|--umask)' --umask 22 --umask 77 true
wrong 'options end at the program' '^0 --help -n --preset$' echo --help -n --preset
wrong 'and at --' '^0 -- -n$' -- echo -- -n
wrong '--name=value' '^0 /usr$' --cwd=/usr pwd

# ---- exit status

for code in 0 1 3 125 126 127 255; do
	status "exit $code" $code "$RAMET" run sh -c "exit $code"
	status "exit $code below an init" $code as_root_or_userns "$RAMET" run --new pid,user sh -c "exit $code"
done
for sig in KILL:137 TERM:143 SEGV:139 USR1:138 HUP:129 INT:130; do
	# shellcheck disable=SC2016
	status "killed by SIG${sig%:*}" "${sig#*:}" "$RAMET" run --default-signal all --rlimit core=0 \
		sh -c "kill -${sig%:*} \$\$"
done
# A directory of PATH that may not be searched would make it 126, as for every exec along PATH.
PATH=/usr/bin:/bin status 'not found is 127' 127 "$RAMET" run ramet-no-such-program
like 'and says so' "$(cat "$TMP/err")" 'exec ramet-no-such-program along PATH: No such file'
status 'so by path' 127 "$RAMET" run /nope/program
printf '#!/nope/interpreter\n' >"$TMP/script"
chmod +x "$TMP/script"
status 'so is an interpreter' 127 "$RAMET" run "$TMP/script"
like 'and a hint to it' "$(cat "$TMP/err")" 'first line of a script'
status 'not executable is 126' 126 "$RAMET" run "$TMP/dir/file"
like 'and says so' "$(cat "$TMP/err")" 'Permission denied'
status 'nor is a directory' 126 "$RAMET" run /
echo junk >"$TMP/junk"
chmod +x "$TMP/junk"
status 'nor is junk' 126 "$RAMET" run "$TMP/junk"
like 'told apart' "$(cat "$TMP/err")" 'neither a program for this machine nor a script'

# ---- JSON

# Without the blanks between values.
json() { sed "s/^ *//" "$TMP/json" | tr -d "\n" | sed 's/": */":/g'; }
status 'JSON of a success' 3 "$RAMET" run --json "$TMP/json" sh -c 'exit 3'
like 'has its schema first' "$(json)" '^\{"schema":1,"command":\["sh","-c","exit 3"\],"pid":[0-9]+,'
like 'and the way, flags, losses' "$(json)" ',"way":"held","flags":"CLONE_VM\|[A-Z_|]*","lost":\[[^]]*\],'
like 'and the status' "$(json)" ',"status":3,"core":false,"rusage":\{"user_us":[0-9]+,"system_us":[0-9]+,"max_rss_kb":[1-9][0-9]*,"minor_faults":[0-9]+,"major_faults":[0-9]+\},"wall_us":[0-9]+\}$'
# shellcheck disable=SC2016
status 'of a death' 143 "$RAMET" run --json "$TMP/json" sh -c 'kill -TERM $$'
like 'names the signal' "$(json)" '"signal":"SIGTERM","core":false,'
unlike 'and has no status' "$(json)" '"status"'
status 'of a failed step' 125 "$RAMET" run --json "$TMP/json" --cwd /nope true
like 'names it' "$(json)" '"error":\{"text":"step 1 of [0-9]+, chdir to /nope: No such file or directory","errno":2,"step":"cwd","rule":null,"why":"[^"]+","mend":"[^"]+"\}'
unlike 'and has no pid' "$(json)" '"pid"'
status 'of a refusal' 125 "$RAMET" run --json "$TMP/json" --share thread-group true
like 'names the rule' "$(json)" '"errno":22,"step":null,"rule":"exec-in-thread","why":"[^"]+","mend":"[^"]+"'
PATH=/usr/bin:/bin status 'of a missing program' 127 "$RAMET" run --json "$TMP/json" ramet-no-such-program
like 'names the step' "$(json)" '"step":"exec"'
descriptor() { "$RAMET" run --json 6 sh -c 'echo out' 6>"$TMP/json"; }
status 'to a descriptor' 0 descriptor
like 'there it is' "$(json)" '"status":0'
is 'the output is the program'\''s alone' "$(cat "$TMP/out")" out
unlike 'nothing of ramet in the output of a program' "$("$RAMET" run --json /dev/null true 2>&1)" .
status 'a JSON that cannot be written is told by 125' 125 "$RAMET" run --json /dev/full true
status 'but not over the program'\''s own failure' 3 "$RAMET" run --json /dev/full sh -c 'exit 3'
mkfifo "$TMP/fifo"
exec 5<>"$TMP/fifo" 6>"$TMP/fifo" 5<&-
status 'nor by a signal, if its reader is gone' 3 "$RAMET" run --json 6 sh -c 'exit 3'
status 'which is 125 after success' 125 "$RAMET" run --json 6 true
exec 6>&-
status 'a word that is no text' 0 "$RAMET" run --json "$TMP/json" test $'a\xffb'
ok 'makes no bad UTF-8' iconv -f UTF-8 -t UTF-8 "$TMP/json"
like 'and is told as far as it goes' "$(json)" $'"a\xef\xbf\xbdb"'
status 'an empty PATH is the working directory' 127 env PATH= "$RAMET" run true
status 'and none is the system'\''s' 0 env -u PATH "$RAMET" run true

# ---- where it is started from

is 'in a pipeline' "$(echo text | "$RAMET" run tr a-z A-Z | cat)" TEXT
is 'whose reader goes away' "$("$RAMET" run sh -c 'yes; echo no' 2>/dev/null | head -n 1)" y
is 'without a terminal' "$(setsid -w "$RAMET" run echo here </dev/null)" here
closed() { "$RAMET" run "$@" <&-; }
status 'standard input closed' 0 closed true
closed() { "$RAMET" run "$@" <&- >&- 2>&-; }
status 'all three closed' 0 closed true
status 'and the status still there' 3 closed sh -c 'exit 3'
full() { "$RAMET" run -n true >/dev/full; }
status 'a plan onto a full disk is a failure' 1 full
is 'an empty environment' "$(env -i "$RAMET" run sh -c 'echo here')" here
is 'stays empty' "$(env -i "$RAMET" run "$(type -P env)")" ''
ignoring() { (trap '' CHLD && exec "$RAMET" run "$@"); }
status 'SIGCHLD ignored by the starter' 3 ignoring sh -c 'exit 3'
like 'and so by the program' "$( (trap '' CHLD && exec "$RAMET" run cat /proc/self/status) |
	sed -n 's/^SigIgn://p')" '1....$'
mkfifo "$TMP/fifo"
status 'by a thread of xargs, many at once' 0 \
	sh -c "seq 200 | xargs -P 8 -I{} '$RAMET' run sh -c 'exit 0'"
is 'the mask of the starter is the program'\''s' \
	"$("$RAMET" run grep ^SigBlk /proc/self/status)" "$(grep ^SigBlk /proc/self/status)"
is 'no descriptor of ramet is left open' "$("$RAMET" run sh -c 'ls /proc/self/fd')" "$(sh -c 'ls /proc/self/fd')"
# shellcheck disable=SC2016
is 'the program is the child of ramet' \
	"$("$RAMET" run sh -c 'readlink /proc/$PPID/exe')" "$(readlink -f "$RAMET")"

done_testing
