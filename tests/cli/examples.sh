# SPDX-License-Identifier: MIT
# Every example says what it must, as root and as an ordinary user.
. "$SRCDIR/tests/tap.sh"

# example NAME, its lines on stdin: run it as this user and, as root, as nobody too. Status 77
# is an example that says what it lacks.
example() {
	local name=$1 as got want
	want=$(cat)
	shown+=("$name")
	for as in "${users[@]}"; do
		"$as" "$here/$name" >"$TMP/out" 2>"$TMP/err"
		got=$?
		if [ $got -eq 77 ]; then
			skip 2 "$name, $as: $(head -n 1 "$TMP/err")"
			continue
		fi
		is "$name, $as: exit status" "$got" 0
		is "$name, $as: what it says" "$(cat "$TMP/out" "$TMP/err")" "$want"
	done
}

as_given() { "$@"; }

# Where every user may read it: the build's folder may be anybody's.
here=$TMP/examples
mkdir -m 755 "$here"
cp "$BUILDDIR"/src/libramet.so.0 "$here"/
find "$BUILDDIR/examples" -maxdepth 1 -type f -perm -u=x -exec cp {} "$here"/ \;
chmod -R a+rX "$here"
export LD_LIBRARY_PATH=$here
users=(as_given)
[ "$(id -u)" -ne 0 ] || users+=(as_user)
shown=()

example buffer <<'END'
fork, memory copied: the caller reads 'written by the caller'
vfork, memory shared: the caller reads 'written by the child'
END

example capture <<'END'
sort exits with 0 and prints 11 bytes:
apple
pear
timed out: yes, ended by SIGKILL, after it printed begun
END

example descriptor <<'END'
table copied: the caller's descriptor is still open
table shared: the caller's descriptor is closed
END

example exit-signal <<'END'
the end is told by SIGUSR1
plain wait: no such child
wait with __WCLONE: exit status 7
ramet_wait: exit status 7
END

example fork-raw <<'END'
clone3 with no flags: the child exits with 3
ramet_fork: the child exits with 4
END

example function <<'END'
20 + 22 = 42, by a task with memory of its own
END

example many <<'END'
90 began, 10 could not, 0 ended otherwise than asked
END

example namespaces <<'END'
inside: host name ramet, pid 1, user 0
outside: the host name is unchanged
END

example spawn-redirect <<'END'
pwd exits with 0 and prints /usr
pwd is not started: step 2 of 6, chdir to /nope: No such file or directory
END

example thread <<'END'
a task with another tid: yes
1 + ... + 500 = 125250, by the thread
501 + ... + 1000 = 375250, by the caller meanwhile
END

example wrapper <<'END'
child: the host name is bizarro
parent: the host name is unchanged
END

is 'no example is left out' "$(printf '%s.c\n' "${shown[@]}" | sort)" \
	"$(cd "$SRCDIR/examples" && printf '%s\n' *.c | sort)"
is 'every example is under 60 lines' \
	"$(awk 'FNR == 60 { print FILENAME }' "$SRCDIR"/examples/*.c)" ''
is 'every example uses the public headers alone' \
	"$(grep -l '#include "' "$SRCDIR"/examples/*.c)" ''

done_testing
