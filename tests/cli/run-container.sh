# SPDX-License-Identifier: MIT
# ramet run: containers, roots of their own, joins and cgroups, for root and for an ordinary user;
# the machine is as before afterwards.
# shellcheck disable=SC2154 # root, userns, got, lines and user are of lib/run.sh
. "$SRCDIR/tests/tap.sh"
. "$SRCDIR/tests/lib/run.sh"
left >"$TMP/before"

# run_is NAME WANT ARG…: what the program prints, blanks squeezed.
run_is() {
	run_ramet "${@:3}"
	is "$name$1" "$got" "0 $2"
}
run_like() {
	run_ramet "${@:3}"
	like "$name$1" "$got" "$2"
}

# What /proc/1 and the rest of a container is, all from inside.
# shellcheck disable=SC2016
inside='echo $$ $PPID; cat /proc/1/comm; uname -n; ls -d /proc/[0-9]* | wc -l; id -u
	grep -c : /proc/net/dev; sed -n "s/^ *lo: *//p" /proc/net/dev | wc -l'

# A busybox tree, if there is one to make it of. The links attack: the mount must land inside.
busybox=$(type -P busybox)
tree=
if [ "$busybox" ] && ! ldd "$busybox" >/dev/null 2>&1; then
	tree=$TMP/tree
	mkdir -m 755 "$tree" "$tree"/{bin,proc,tmp,etc,mnt,data}
	cp "$busybox" "$tree/bin/busybox"
	for applet in sh ls cat id mkdir touch readlink stat sed grep rm mount umount hostname ps; do
		ln -s busybox "$tree/bin/$applet"
	done
	ln -s /etc "$tree/absolute"
	ln -s ../../../../../../etc "$tree/relative"
	echo tree >"$tree/etc/marker"
	mkdir -m 755 "$TMP/source"
	echo source >"$TMP/source/marker"
	mkdir -m 777 "$TMP/source/open"
	echo before >"$TMP/source/open/file"
	chmod 666 "$TMP/source/open/file"
	if [ "$(id -u)" -eq 0 ]; then chown -R 65534:65534 "$TMP/source/open"; fi
fi

in_tree() {
	local bind
	bind=$(stat -c %i "$TMP/source")
	run_is 'a busybox tree is the root' 'absolute bin data etc mnt proc relative tmp' \
		-p container --root "$tree" ls /
	run_is 'found by PATH in it' '/bin/busybox' -p container --root "$tree" \
		--env PATH=/bin readlink -f /bin/sh
	run_like 'with a proc of its own' '^0 1$' -p container --root "$tree" --env PATH=/bin \
		sh -c 'cd /proc/1 && echo 1'
	run_is 'whose .. is itself' same -p container --root "$tree" --env PATH=/bin \
		sh -c '[ "$(stat -c %i /)" = "$(stat -c %i /..)" ] && [ ! -e /../usr/bin ] && echo same'
	run_like 'there is no other root among the mounts' '^0 /( |$)' -p container --root "$tree" \
		--env PATH=/bin sh -c 'sed "s/^[^ ]* \([^ ]*\) .*/\1/" /proc/mounts'
	unlike "${name}nor one of the machine's" "$got" '/sys|/home|/dev'
	run_is 'nor by way of pid 1' tree -p container --root "$tree" --env PATH=/bin \
		cat /proc/1/root/etc/marker
	run_is 'nor of descriptors' '' -p container --root "$tree" --env PATH=/bin \
		sh -c 'for f in /proc/1/fd/* /proc/self/fd/*; do [ -e $f/../usr/bin ] && echo $f; done; :'
	run_is 'nor is its working directory elsewhere' / -p container --root "$tree" --env PATH=/bin \
		sh -c 'cd .; readlink /proc/self/cwd'
	for link in absolute relative; do
		run_is "a bind over the link $link lands inside" "$bind" -p container --root "$tree" \
			--bind "$TMP/source:/$link" --env PATH=/bin stat -c %i /etc
		run_is "a tmpfs over the link $link too" '' -p container --root "$tree" \
			--tmpfs "/$link" --env PATH=/bin ls /etc
	done
	run_is 'a way up by .. ends at the new root' "$bind" -p container --root "$tree" \
		--bind "$TMP/source:/../../data" --env PATH=/bin stat -c %i /data
	run_like 'a target that is only outside is not found' \
		'^125 ramet: .*bind all of .* to /home: No such file' \
		-p container --root "$tree" --bind "$TMP/source:/home" true
	if ! at_least 5 12; then
		skip 3 'needs Linux 5.12'
		return
	fi
	run_is 'a read-only bind can be read' 'source' -p container --root "$tree" \
		--ro-bind "$TMP/source:/mnt" --env PATH=/bin cat /mnt/marker
	run_is 'but not written, made or removed in' 'no no no no' -p container --root "$tree" \
		--ro-bind "$TMP/source:/mnt" --env PATH=/bin sh -c '
		{ echo x >/mnt/open/file; } 2>&- || echo no
		mkdir /mnt/open/d 2>&- || echo no
		rm -f /mnt/open/file 2>&- || echo no
		touch /mnt/open/file 2>&- || echo no'
	run_is 'other than a plain one' 'yes' -p container --root "$tree" \
		--bind "$TMP/source:/mnt" --env PATH=/bin sh -c 'touch /mnt/open/file && echo yes'
}

orphans() {
	# Twelve grandchildren whose parents are gone, ended when we look.
	# shellcheck disable=SC2016
	run_is 'the init reaps orphans' 'reaped' -p container sh -c '
		for i in 1 2 3 4 5 6 7 8 9 10 11 12; do (sleep 0.1 &); done
		sleep 0.6; cat /proc/[0-9]*/stat 2>/dev/null | grep -c ") Z " >/dev/null || echo reaped'
	# shellcheck disable=SC2016
	run_is 'and is their parent' 1 -p container sh -c '
		(sh -c "cut -d\" \" -f4 /proc/\$\$/stat >/dev/null; sleep 0.2; cut -d\" \" -f4 /proc/\$\$/stat" &)
		sleep 0.5'
	run_is 'what the program leaves behind ends with it' '' -p container sh -c \
		'sleep 4242 >/dev/null 2>&1 & exit 0'
}

containers() {
	run_like 'a container' "^0 2 1 ramet-init $(uname -n) [3-6] 0 1 1\$" -p container -- sh -c "$inside"
	run_is 'takes a name of its own' inner -p container --hostname inner uname -n
	is "${name}and leaves the machine's" "$(uname -n)" "$(cat /proc/sys/kernel/hostname)"
	# shellcheck disable=SC2016
	run_like 'is pid 1 itself' '^0 1 0 ' -p container --as-pid-1 -- sh -c "$inside"
	run_like 'lo is up' '^0 (0x9|0x49)$' -p container --tmpfs /mnt sh -c \
		'cat /sys/class/net/lo/flags 2>/dev/null | grep . || echo 0x49'
	if type -P ip >/dev/null; then
		run_like 'with its address' ' 127\.0\.0\.1/8 ' -p container ip addr
	else
		skip 1 'needs ip'
	fi
	run_is 'every namespace is its own' own -p container sh -c "
		readlink /proc/self/ns/* | grep -v '^time\|^user' | grep -xFf $TMP/namespaces || echo own"
	run_is 'a mount stays inside' yes -p container sh -c "mount -t tmpfs none /mnt 2>/dev/null && echo yes"
	orphans
	if [ "$tree" ]; then in_tree; else skip 18 'needs a static busybox'; fi
}

if [ $root = yes ]; then name='root: ' && containers; else skip 34 'needs CAP_SYS_ADMIN'; fi
if [ $userns = yes ]; then
	name='user: ' AS=as_user
	containers
	run_is 'maps the own id to 0' '0 65534 1' -p container xargs -a /proc/self/uid_map
	run_is 'and the own group' '0 65534 1' -p container xargs -a /proc/self/gid_map
	AS=
else
	skip 36 'needs user namespaces for ordinary users'
fi

# ---- why not

limited() { as_user unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"' - "$@"; }
if [ $userns = yes ]; then
	like 'a limit of user namespaces is told by its name' \
		"$(limited "$RAMET" run --new user true 2>&1)" \
		'user\.max_user_namespaces is 0: .*rule user-namespaces-off'
else
	skip 1 'needs user namespaces for ordinary users'
fi

# ---- joins

# A container to join: its init is $init, ramet $ramet.
# shellcheck disable=SC2016
begin() {
	local as=()

	if [ "$AS" ]; then as=("${user[@]}"); fi
	mkfifo "$TMP/begun"
	"${as[@]}" "$RAMET" run -p container --hostname joined sh -c 'echo >&5; exec sleep 600' 5>"$TMP/begun" &
	ramet=$!
	read -r _ <"$TMP/begun"
	rm "$TMP/begun"
	init=$(xargs </proc/$ramet/task/$ramet/children)
}
end() {
	kill -TERM $ramet
	wait $ramet
	is "${name}and ends by TERM" $? 143
	is "${name}init and all" "$(ls -d /proc/$init 2>/dev/null)" ''
}
joins() {
	run_like 'a running container is joined' '^0 joined [0-9]{1,3} [4-6]$' --join $init \
		sh -c 'uname -n; echo $$; ls -d /proc/[0-9]* | wc -l'
	run_like 'by any of its tasks' '^0 joined' --join "$(xargs </proc/$init/task/$init/children)" uname -n
	run_is 'in all namespaces' own --join $init sh -c \
		"readlink /proc/self/ns/* | grep -v '^time\|^user' | grep -xFf $TMP/namespaces || echo own"
	run_is "with the program's status" '' --join $init true
	status "${name}whatever it is" 7 $AS "$RAMET" run --join $init sh -c 'exit 7'
}
joined() { run_is "$1" 'joined same' --join "$2" sh -c \
	"uname -n; [ \$(readlink /proc/self/ns/pid) = $(readlink /proc/self/ns/pid) ] && echo same"; }

if [ $root = yes ]; then
	name='root: '
	begin
	joins
	joined 'only its name' "$init:uts"
	joined 'name and net' "$init:uts,net"
	joined 'by a file' "/proc/$init/ns/uts"
	AS=as_user run_like 'somebody else may not' '^125 ramet: .*(may be read|not permitted)' --join $init true
	AS=as_user run_like 'nor the name alone' '^125 ramet: .*(may be read|not permitted)' --join $init:uts true
	run_like 'nor twice the same user namespace' '^125 ramet: .*CLONE_NEWUSER.*Invalid' --join $$:user true
	end
	run_like 'the dead cannot be joined' "^125 ramet: --join: '$init' is not a live process" --join $init true
else
	skip 17 'needs CAP_SYS_ADMIN'
fi
if [ $userns = yes ]; then
	name='user: ' AS=as_user
	begin
	joins
	joined 'with its user namespace only the name' "$init:user,uts"
	run_is 'as its root' 0 --join $init id -u
	run_like 'without it not' '^125 ramet: .*CLONE_NEWUTS.*not permitted.*user namespace' --join $init:uts true
	if [ "$(id -u)" -eq 0 ]; then
		AS='' run_like 'root may join it' '^0 joined' --join $init uname -n
	else
		skip 1 'needs root'
	fi
	end
	AS=
else
	skip 11 'needs user namespaces for ordinary users'
fi

# ---- cgroups and pids

# cgroup TYPE: where that is mounted and can be written to.
cgroup() {
	local dir
	dir=$(awk -v t="$1" '{ for (i = 7; $i != "-"; i++); if ($(i + 1) == t) print $5 }' \
		/proc/self/mountinfo | grep -E "$2" | head -n 1)
	[ "$dir" ] && mkdir "$dir/ramet-run-$$-$1" 2>/dev/null && echo "$dir/ramet-run-$$-$1"
}
name=
v2=$(cgroup cgroup2 .)
if [ "$v2" ]; then
	run_is 'born in a cgroup of v2' "0::/${v2##*/}" --cgroup "$v2" grep ^0: /proc/self/cgroup
	run_like 'by clone itself' CLONE_INTO_CGROUP --cgroup "$v2" -n true
	AS=as_user run_like 'which is not anybody'\''s' '^125 ramet: .*CLONE_INTO_CGROUP.*(rule cgroup-not-writable)' \
		--cgroup "$v2" true
	run_is 'a container has it as its root' '0::/' -p container --cgroup "$v2" grep ^0: /proc/self/cgroup
	run_is 'and by another user' "0::/${v2##*/}" --cgroup "$v2" --uid 65534 --gid 65534 grep ^0: /proc/self/cgroup
	is 'nobody is left in it' "$(cat "$v2/cgroup.procs")" ''
	if [ -e "$v2/cgroup.freeze" ]; then
		echo 1 >"$v2/cgroup.freeze"
		got="$(timeout -k 1 8 "$RAMET" run --cgroup "$v2" --start-timeout 1 true 2>&1) $?"
		like 'frozen there it does not begin, and ramet does not wait for ever' "$got" \
			'ended before its body began.* 125$'
		echo 0 >"$v2/cgroup.freeze"
	else
		skip 1 'needs cgroup.freeze'
	fi
	rmdir "$v2"
else
	skip 7 'needs a cgroup2 to write to'
fi
v1=$(cgroup cgroup '/(pids|cpu|freezer|devices)(,|$|/)')
if [ "$v1" ]; then
	run_like 'in a cgroup of v1' ":/${v1##*/}( |\$)" --cgroup "$v1" cat /proc/self/cgroup
	run_like 'as a step' ' child enter cgroup /' --cgroup "$v1" -n true
	AS=as_user run_like 'which is not anybody'\''s' '^125 ramet: .*enter cgroup .*Permission denied.* delegated' \
		--cgroup "$v1" true
	is 'nobody is left in it' "$(cat "$v1/cgroup.procs")" ''
	rmdir "$v1"
else
	skip 4 'needs a cgroup of version 1 to write to'
fi
if [ $root = yes ]; then
	# shellcheck disable=SC2016
	run_like 'a pid for every level' '^0 77$' --new pid --as-pid-1 --tid 1 sh -c 'echo 77'
else
	skip 1 'needs CAP_SYS_ADMIN'
fi

# ---- what stays

left >"$TMP/after"
is 'host name, mounts, net and cgroups are as before' "$(diff "$TMP/before" "$TMP/after")" ''
is 'no task of a container is left' "$(grep -lx ramet-init /proc/[0-9]*/comm 2>/dev/null | while read -r f; do
	grep -q "^TMP=$TMP$" <(tr '\0' '\n' 2>/dev/null <"${f%comm}environ") && echo "$f"
done)" ''
if [ "$tree" ]; then
	is 'nor a file in the tree' "$(cd "$tree" && find . -newer "$TMP/source/marker" ! -path './bin*' | sort | xargs)" ''
	is 'and the files outside are untouched' "$(cat "$TMP/source/open/file")" before
fi

done_testing
