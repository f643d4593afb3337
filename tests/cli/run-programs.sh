# SPDX-License-Identifier: MIT
# ramet run: programs that others wrote, under every preset that can run one, do as without it.
# shellcheck disable=SC2154 # root, userns, got, lines and user are of lib/run.sh
. "$SRCDIR/tests/tap.sh"
. "$SRCDIR/tests/lib/run.sh"

presets=(fork vfork spawn linuxthreads)
if [ $root = yes ]; then
	presets+=(container)
else
	skip 1 'container: needs CAP_SYS_ADMIN'
fi

# same NAME COMMAND…: under each preset it prints and returns what it does by itself.
same() {
	local want preset
	want="$("${@:2}" 2>&1 </dev/null) $?"
	for preset in "${presets[@]}"; do
		is "$preset: $1" "$("$RAMET" run --preset "$preset" -- "${@:2}" 2>&1 </dev/null) $?" "$want"
	done
}

# have COMMAND: else its tests are skipped by name.
have() {
	type -P "$1" >/dev/null && return
	skip ${#presets[@]} "needs $1"
	return 1
}

if have busybox; then
	# shellcheck disable=SC2016
	same 'busybox sh' busybox sh -c 'for i in 1 2 3; do echo $i; done | busybox tac | busybox md5sum; exit 7'
	same 'busybox find and sort' busybox sh -c 'busybox find /etc -maxdepth 1 -name "*.conf" | busybox sort | busybox head -n 5'
fi
# shellcheck disable=SC2016
same 'a pipeline of sh' sh -c 'seq 5000 | grep 7 | sort -rn | head -n 20 | tr "\n" " "; echo $((6 * 7)); exit 5'
# shellcheck disable=SC2016
same 'jobs of bash' bash -c '
	shopt -s lastpipe
	for i in 1 2 3 4; do (sleep 0.3$i; exit $i) & done
	n=0; for job in $(jobs -p); do wait $job || n=$((n + $?)); done
	echo $n; trap "echo bye" EXIT; diff <(echo a) <(echo b); read -r x < <(echo sub); echo $x; kill -TERM $BASHPID'
same 'what is not there' sh -c 'ramet-no-such-program'
same 'xargs -P' sh -c 'seq 40 | xargs -P 8 -n 1 sh -c "exit 0" && echo done'
same 'a here document and temporary files' sh -c 'sort <<.
b
a
.'

if have make; then
	mkdir "$TMP/tree"
	for i in 1 2 3 4 5 6; do
		echo "$i" >"$TMP/tree/$i.in"
	done
	cat >"$TMP/tree/Makefile" <<-'.'
		all: $(patsubst %.in,%.out,$(wildcard *.in))
			@cat $(sort $^) | sort -n | tr '\n' ' '
		%.out: %.in
			@sed 's/$$/0/' $< >$@
		clean:
			@rm -f *.out
	.
	same 'make -j2' sh -c "cd '$TMP/tree' && make -sj2 all && make -s clean"
fi
if have perl; then
	# shellcheck disable=SC2016
	same 'perl with fork and wait' perl -e '
		$SIG{CHLD} = sub { $n++ }; for (1 .. 3) { if (!($p = fork)) { exit $_ } push @p, $p }
		for (@p) { waitpid $_, 0; print $? >> 8, "\n" } system("exit 4"); print $? >> 8, "\n"'
fi
# A shim of a version manager is no interpreter: ask it what it is.
python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null)
if [ "$python" ]; then
	same 'python with threads and subprocesses' "$python" -c '
import subprocess, threading, sys
out = []
def work(n): out.append(subprocess.run(["sh", "-c", f"exit {n}"]).returncode)
ts = [threading.Thread(target=work, args=(n,)) for n in range(6)]
[t.start() for t in ts]; [t.join() for t in ts]
print(sorted(out), subprocess.check_output(["echo", "hello"]))
sys.exit(9)'
	same 'python with multiprocessing' "$python" -c '
import multiprocessing as m
if __name__ == "__main__":
    with m.get_context("fork").Pool(3) as p: print(p.map(abs, range(-5, 5)))'
else
	skip $((2 * ${#presets[@]})) 'needs python3'
fi
if have java; then
	cat >"$TMP/Hello.java" <<-.
		public class Hello {
			public static void main(String[] a) throws Exception {
				Process p = new ProcessBuilder("sh", "-c", "echo child; exit 3").inheritIO().start();
				System.out.println(p.waitFor());
				System.exit(6);
			}
		}
	.
	if timeout 60 javac -d "$TMP" "$TMP/Hello.java" 2>/dev/null; then
		same 'a JVM with a child' java -Xshare:auto -Xmx64m -cp "$TMP" Hello
	else
		skip ${#presets[@]} 'needs javac'
	fi
fi

done_testing
