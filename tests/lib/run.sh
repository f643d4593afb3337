# SPDX-License-Identifier: MIT
# For the tests of ramet run, sourced behind tap.sh: who may do what here, and what was left.
# shellcheck disable=SC2034
export LC_ALL=C
AS= # as_user, or nobody else
root=no
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then root=yes; fi
userns=no
if as_user unshare -Um true 2>/dev/null; then userns=yes; fi
readlink /proc/self/ns/* >"$TMP/namespaces"

at_least() {
	local major minor
	IFS=.- read -r major minor _ < <(uname -r)
	[ "$major" -gt "$1" ] || { [ "$major" -eq "$1" ] && [ "$minor" -ge "$2" ]; }
}

# A command line that fits into a test's name.
brief() {
	local text="${*//$'\n'/ }"
	if [ ${#text} -gt 60 ]; then text="${text:0:57}..."; fi
	echo "$text"
}

# run_ramet ARG…: $got is the exit status and what was printed, blanks squeezed; $lines counts.
run_ramet() {
	local code=0
	# shellcheck disable=SC2086
	$AS "$RAMET" run "$@" >"$TMP/got" 2>&1 || code=$?
	lines=$(wc -l <"$TMP/got")
	got="$code $(tr -s ' \t\n' ' ' <"$TMP/got" | sed 's/ $//')"
}

# The same in front of a command that runs in the background: its pid is the command's.
user=()
if [ "$(id -u)" -eq 0 ]; then
	user=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
fi

as_root_or_userns() {
	if [ $userns = yes ]; then as_user "$@"; else "$@"; fi
}

# What a container may leave: mounts, a host name, tasks of ramet, cgroups of these tests.
left() {
	hostname
	cat /proc/self/mountinfo
	find /sys/fs/cgroup -maxdepth 3 -type d -name "ramet-run-$$-*" 2>/dev/null
	ip addr 2>/dev/null | grep -v valid_lft
}
