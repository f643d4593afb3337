# SPDX-License-Identifier: MIT
# bash completion for ramet. Verbs and options are read from the --help of the ramet that is
# completed; here stands only what the values of some options may be.

# _ramet_options COMMAND VERB: a line an option, its name and what it takes.
_ramet_options() {
	"$1" "$2" --help 2>/dev/null |
		sed -nE 's/^  (-[A-Za-z], |    )(--[a-z0-9-]+)(=([^ ]+))?.*/\2 \4/p'
}

_ramet_signals() { compgen -A signal SIG | grep -v JUNK; }

# _ramet_words VERB OPTION: the words that its value may be.
_ramet_words() {
	case $2 in
	--preset) echo fork vfork spawn linuxthreads container ;;
	presets) echo fork vfork spawn nptl linuxthreads container ;;
	workloads) "${COMP_WORDS[0]}" bench --list 2>/dev/null | sed -n 's/^\([a-z]*\): .*/\1/p' ;;
	--pages) echo small huge both ;;
	--only) "${COMP_WORDS[0]}" bench --list 2>/dev/null | sed -nE 's/^  ([^ ]+)  +.*/\1/p' | sort -u ;;
	--share | --copy | --new)
		echo memory files fs sighand thread-group parent sysvsem io tls mnt pid net ipc uts \
			user cgroupns time cgroup
		;;
	--caps | --bounding | --ambient)
		echo all none chown dac_override dac_read_search fowner fsetid kill setgid setuid \
			setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw \
			ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct \
			sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease \
			audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm \
			block_suspend audit_read perfmon bpf checkpoint_restore
		;;
	--securebits)
		echo noroot no-setuid-fixup keep-caps no-cap-ambient-raise noroot-locked \
			no-setuid-fixup-locked keep-caps-locked no-cap-ambient-raise-locked
		;;
	--pdeathsig | --exit-signal) _ramet_signals ;;
	--default-signal | --ignore-signal | --block-signals) echo all && _ramet_signals ;;
	--rlimit)
		echo as= core= cpu= data= fsize= locks= memlock= msgqueue= nice= nofile= nproc= rss= \
			rtprio= rttime= sigpending= stack=
		;;
	--sched) echo other batch idle fifo: rr: ;;
	--ioprio) echo none realtime realtime: best-effort best-effort: idle ;;
	--propagation) echo private slave shared ;;
	--clock) echo monotonic: boottime: ;;
	--way) echo held futex copy helper ;;
	--color) echo auto always never ;;
	--view) echo live tree summary chrome ;;
	--call) echo auto clone clone3 unshare setns ;;
	--caller)
		echo uid= cap= threads= no-new= chroot unmapped init pid-for-children \
			time-for-children shared-memory shared-sighand shared-fs deadline process-limit
		;;
	--by)
		echo memory files fs sighand thread-group parent sysvsem io mnt pid net ipc uts user \
			cgroupns time cgroup
		;;
	--output) "${COMP_WORDS[0]}" tree -o help 2>/dev/null | awk '{ print $1 }' && echo all ;;
	--arch) echo x86_64 i386 aarch64 arm riscv64 ppc64le s390x mips64 loongarch64 ;;
	--env) compgen -e ;;
	esac
}

# _ramet_value VERB OPTION TAKES: candidates for the value of an option.
_ramet_value() {
	local words action before=''

	case $3 in
	DIR | PATH | DST | FILE)
		compopt -o filenames 2>/dev/null
		if [ "$3" = DIR ]; then action=-d; else action=-f; fi
		mapfile -t COMPREPLY < <(compgen $action -- "$cur")
		return
		;;
	PID*)
		mapfile -t COMPREPLY < <(cd /proc && compgen -W "$(echo [0-9]*)" -- "$cur")
		return
		;;
	FD)
		mapfile -t COMPREPLY < <(compgen -W "$(cd /proc/$$/fd && echo *)" -- "$cur")
		return
		;;
	esac
	words=$(_ramet_words "$1" "$2")
	case $3 in
	*,*) if [[ $cur == *,* ]]; then before=${cur%,*}, cur=${cur##*,}; fi ;;
	esac
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$words" -- "$cur")
	case ${COMPREPLY[*]} in
	*[=:] | *,*) compopt -o nospace 2>/dev/null ;;
	esac
}

_ramet() {
	local command=${COMP_WORDS[0]} verb=${COMP_WORDS[1]} cur=${COMP_WORDS[COMP_CWORD]}
	local at=2 options name takes

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "--help --version $("$command" --help 2>/dev/null |
			sed -nE 's/^  ([a-z]+)  +[^ ].*/\1/p')" -- "$cur")
		return
	fi
	options=$(_ramet_options "$command" "$verb")
	# What bench measures may stand in front of its options.
	if [ "$verb" = bench ] && [ "$COMP_CWORD" -gt 2 ] && [[ ${COMP_WORDS[2]} != -* ]]; then at=3; fi
	# To the word at hand, over options and their values; bash makes "--name=value" three words.
	while [ $at -le "$COMP_CWORD" ] && [[ ${COMP_WORDS[at]} == -* ]]; do
		if [ "${COMP_WORDS[at]}" = -- ] && [ $at -lt "$COMP_CWORD" ]; then
			at=$((at + 1))
			break
		fi
		[ $at -lt "$COMP_CWORD" ] || break
		name=${COMP_WORDS[at]}
		case $name in
		-p) if [ "$verb" = trace ]; then name=--pid; else name=--preset; fi ;;
		-o) name=--output ;;
		esac
		takes=$(sed -n "s/^$name //p" <<<"$options")
		at=$((at + 1))
		if [ -z "$takes" ]; then continue; fi
		if [ "${COMP_WORDS[at]}" = = ] && [ $at -lt "$COMP_CWORD" ]; then at=$((at + 1)); fi
		if [ $at -eq "$COMP_CWORD" ]; then
			if [ "$cur" = = ]; then cur=; fi
			_ramet_value "$verb" "$name" "$takes"
			return
		fi
		at=$((at + 1))
		# What else bash has cut the value into.
		while [[ ${COMP_WORDS[at]} == [:=]* || ${COMP_WORDS[at - 1]} == *[:=] ]]; do
			if [ $at -ge "$COMP_CWORD" ]; then
				# Behind the last comma of a list there may be another word.
				if [[ $takes == *,* && $cur == *,* ]]; then
					_ramet_value "$verb" "$name" "$takes"
				fi
				return
			fi
			at=$((at + 1))
		done
	done
	if [[ $cur == -* ]] && [ $at -eq "$COMP_CWORD" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(sed 's/ .*//' <<<"$options")" -- "$cur")
	elif [ "$verb" = probe ] || [ "$verb" = explain ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_ramet_words "$verb" presets)" -- "$cur")
	elif [ "$verb" = bench ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_ramet_words bench workloads)" -- "$cur")
	elif [ "$verb" = tree ]; then
		_ramet_value tree '' PID
	elif [ "$verb" = run ] || [ "$verb" = trace ]; then
		if declare -F _command_offset >/dev/null; then
			_command_offset $at
		elif [ $at -eq "$COMP_CWORD" ]; then
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		else
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		fi
	fi
}
complete -F _ramet ramet
