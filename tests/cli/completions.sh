# SPDX-License-Identifier: MIT
# Completions: bash is asked as bash asks it, zsh and fish where they are installed; each word
# that is offered is understood, and no word of the tables is missing.
# shellcheck disable=SC1091,SC2034
. "$SRCDIR/tests/tap.sh"

mkdir "$TMP/bin"
ln -s "$RAMET" "$TMP/bin/ramet"
PATH=$TMP/bin:$PATH
cd "$TMP" || exit 1
mkdir "$TMP/place"
touch "$TMP/plain"

# ---- bash

. "$SRCDIR/completions/ramet.bash"
like 'bash: completes ramet' "$(complete -p ramet)" '-F _ramet ramet'

# offered WORD…: what completes the last one; = and : are words of their own, as in bash.
offered() {
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_ramet
	echo "${COMPREPLY[*]}"
}
like 'bash: verbs' "$(offered ramet '')" '(^| )run( .*|)'
is 'bash: one verb' "$(offered ramet pr)" probe
is 'bash: --preset for --pr' "$(offered ramet run --pre)" --preset
is 'bash: more than one' "$(offered ramet run --pr)" '--preset --proc --propagation'
is 'bash: every option of --help' "$(offered ramet run -- | tr ' ' '\n' | sort)" \
	"$(ramet run --help | grep -oE '^  (-., |    )--[a-z0-9-]+' | grep -oE -- '--.*' | sort)"
is 'bash: those of another verb' "$(offered ramet probe --j)" --json
is 'bash: presets' "$(offered ramet run --preset '')" 'fork vfork spawn linuxthreads container'
is 'bash: behind =' "$(offered ramet run --preset = v)" vfork
is 'bash: right behind it' "$(offered ramet run --preset =)" 'fork vfork spawn linuxthreads container'
is 'bash: behind -p' "$(offered ramet run -p c)" container
is 'bash: behind other options' "$(offered ramet run --setsid --umask 022 --share fs --way f)" futex
is 'bash: and values with = and :' \
	"$(offered ramet run --rlimit nofile = 1 : 2 --dup 1 : 7 --way = copy --new u)" 'uts user'
is 'bash: a list' "$(offered ramet run --new uts,i)" 'uts,io uts,ipc'
is 'bash: directories' "$(offered ramet run --cwd p)" place
is 'bash: files' "$(offered ramet run --seccomp p | tr ' ' '\n' | sort | xargs)" 'place plain'
is 'bash: signals' "$(offered ramet run --pdeathsig SIGUSR)" 'SIGUSR1 SIGUSR2'
is 'bash: processes' "$(offered ramet run --join $$)" $$
is 'bash: programs' "$(offered ramet run --setsid set | tr ' ' '\n' | grep -x setsid | sort -u)" setsid
is 'bash: their options are not ours' "$(offered ramet run --setsid ls --pre)" ''
is 'bash: nor behind --' "$(offered ramet run -- ls --pre)" ''
is 'bash: but files are' "$(offered ramet run ls pla)" "$(compgen -f pla | xargs)"
is 'bash: presets of probe' "$(offered ramet probe fork np)" nptl
is 'bash: tasks of tree' "$(offered ramet tree --table $$)" $$
is 'bash: resources of tree' "$(offered ramet tree --by s)" 'sighand sysvsem'
is 'bash: columns of tree' "$(offered ramet tree -o PID,NN)" 'PID,NNP'
is 'bash: workloads of bench' "$(offered ramet bench thr)" 'threads thread'
is 'bash: behind options' "$(offered ramet bench --pin 1 --heap 2M,1G la)" launch
is 'bash: options behind one' "$(offered ramet bench launch --pa)" --pages
is 'bash: and their values' "$(offered ramet bench launch --pages = hu)" huge
is 'bash: series' "$(offered ramet bench --only floor,fork+exec-)" floor,fork+exec-loaded
is 'bash: every option of bench' "$(offered ramet bench -- | tr ' ' '\n' | sort)" \
	"$(ramet bench --help | grep -oE '^  (-., |    )--[a-z0-9-]+' | grep -oE -- '--.*' | sort)"
is 'bash: views of trace' "$(offered ramet trace --view s)" summary
is 'bash: files of trace' "$(offered ramet trace -o pl | tr ' ' '\n' | sort | xargs)" 'place plain'
is 'bash: processes of trace' "$(offered ramet trace -p $$)" $$
is 'bash: an option that needs no value' "$(offered ramet tree --watch --js)" --json
is 'bash: and of explain' "$(offered ramet explain fork np)" nptl
is 'bash: every option of explain' "$(offered ramet explain -- | tr ' ' '\n' | sort)" \
	"$(ramet explain --help | grep -oE '^  (-., |    )--[a-z0-9-]+' | grep -oE -- '--.*' | sort)"
is 'bash: calls' "$(offered ramet explain --call s)" setns
is 'bash: an exit signal' "$(offered ramet explain --exit-signal SIGUSR)" 'SIGUSR1 SIGUSR2'
is 'bash: a list of states' "$(offered ramet explain --caller uid = 0,ch)" 0,chroot
is 'bash: its first' "$(offered ramet explain --caller chr)" chroot
is 'bash: processors' "$(offered ramet explain --arch = aa)" aarch64

# Where each word is understood: a plan is made, or the value refused for another reason.
understood() {
	local option=$1 word=$2
	case $word in
	*=) word+=1 ;;
	*:) word+=5 ;;
	esac
	"$RAMET" run -n "$option" "$word" true 2>&1 | grep -q "^ramet: $option: "
}
wrong=
for option in --preset --share --copy --new --caps --bounding --ambient --securebits --pdeathsig \
	--default-signal --ignore-signal --block-signals --rlimit --sched --ioprio --propagation \
	--clock --way --color; do
	words=$(_ramet_words run $option)
	[ "$words" ] || wrong+="$option has none "
	for word in $words; do
		if understood "$option" "$word"; then wrong+="$option $word "; fi
	done
done
for option in --call --caller --exit-signal --arch; do
	words=$(_ramet_words explain $option)
	[ "$words" ] || wrong+="$option has none "
	for word in $words; do
		case $word in
		no-new=) word+=net ;;
		cap=) word+=sys_admin ;;
		*=) word+=1 ;;
		esac
		"$RAMET" explain $option "$word" 0 >"$TMP/said" 2>&1
		[ $? -le 1 ] || wrong+="$option $word "
	done
done
is 'every word is understood' "$wrong" ''
for file in ramet.bash _ramet ramet.fish; do
	is "$file has every state of a caller" "$(for word in $("$RAMET" explain --caller x 0 2>&1 |
		grep -oE '[a-z-]+(=[A-Z]+)?' | sed -n '/^uid=/,$p' | sed 's/=.*/=/'); do
		grep -qwF -e "$word" "$SRCDIR/completions/$file" || echo "$word"
	done)" ''
done

# Words of the tables of the source, in all three files.
words=$(sed -n 's/^\(RESOURCE\|PRESET\)([A-Z_]*, "\([^"]*\)".*/\2/p' "$SRCDIR/src/spec/tables.def"
	grep -oE '\{"[a-z_-]+", ' "$SRCDIR/src/spec/words.c" | tr -d '{", ')
ok 'the tables have words' test "$(wc -w <<<"$words")" -ge 80
for file in ramet.bash _ramet ramet.fish; do
	is "$file has them all" "$(for word in $words; do
		grep -qwF -e "$word" "$SRCDIR/completions/$file" || echo "$word"
	done)" ''
done

# ---- zsh

if type -P zsh >/dev/null; then
	ok 'zsh: can be read' zsh -fn "$SRCDIR/completions/_ramet"
else
	skip 1 'needs zsh'
fi

# ---- fish

if type -P fish >/dev/null; then
	asked() {
		HOME=$TMP fish --no-config -c "source '$SRCDIR/completions/ramet.fish'
			complete -C '$1'" 2>&1 | cut -f 1 | sort | xargs
	}
	is 'fish: verbs' "$(asked 'ramet pr')" probe
	is 'fish: options' "$(asked 'ramet run --pre')" --preset
	is 'fish: presets' "$(asked 'ramet run --preset v')" vfork
	is 'fish: a list' "$(asked 'ramet run --setsid --new uts,ip')" uts,ipc
	is 'fish: presets of probe' "$(asked 'ramet probe np')" nptl
	is 'fish: calls of explain' "$(asked 'ramet explain --call s')" setns
	is 'fish: a list of states' "$(asked 'ramet explain --caller uid=0,chr')" uid=0,chroot
	is 'fish: resources of tree' "$(asked 'ramet tree --by sys')" sysvsem
	is 'fish: columns of tree' "$(asked 'ramet tree --output PID,NN')" PID,NNP
	is 'fish: workloads of bench' "$(asked 'ramet bench thr')" 'thread threads'
	is 'fish: series, behind a workload' "$(asked 'ramet bench launch --only floor,raw')" floor,raw-thread
	is 'fish: programs' "$(asked 'ramet run --setsid --cwd /usr setsi' | grep -ow setsid)" setsid
	is 'fish: their options are not ours' "$(asked 'ramet run ls --preset')" ''
else
	skip 13 'needs fish'
fi

done_testing
