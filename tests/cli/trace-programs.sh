# SPDX-License-Identifier: MIT
# Programs of the real world under ramet trace: the same exit status, the same output, the same
# files as without it. Two Debian packages are configured and built (their sources are fetched by
# apt with lists of this test's own, nothing is left on the system), Python's multiprocessing, Java,
# Go.
. "$SRCDIR/tests/tap.sh"

export LC_ALL=C.UTF-8
cd "$TMP" || exit 1
if ! timeout 20 "$RAMET" trace -o "$TMP/trace" -- true 2>"$TMP/err"; then
	skip_all "ramet cannot trace here: $(head -n 1 "$TMP/err")"
fi
python=$(type -P python3)
if [ "$python" ]; then python=$("$python" -c 'import sys; print(sys.executable)'); fi

# same NAME COMMAND…: by each way of tracing, as without.
same() {
	local name=$1 code=0 got
	shift
	timeout -k 5 200 "$@" >want 2>want.err </dev/null || code=$?
	for kind in '' --events-only --verify; do
		got=0
		# shellcheck disable=SC2086
		timeout -k 5 300 "$RAMET" trace $kind --json -o trace -- "$@" >got 2>got.err </dev/null || got=$?
		is "$name ${kind:-by default}: exit status" "$got" "$code"
		cmp -s want got && cmp -s want.err got.err
		tap_result $? '  output' || diag "$(diff want got; diff want.err got.err)"
		[ "$kind" != --verify ] ||
			is '  kcmp agrees' "$(tail -n 1 trace | grep -o '"differ":[0-9]*')" '"differ":0'
	done
}

# ---- Packages

fetch() {
	mkdir -p apt/lists/partial apt/cache/archives/partial apt/parts || return
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
		sed -n 's/^deb /deb-src /p' >apt/sources.list
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -e "$file" ] || sed 's/^Types:.*/Types: deb-src/' "$file" >"apt/parts/$(basename "$file")"
	done
	local apt=(timeout -k 5 120 apt-get -qq -o Dir::Etc::SourceList="$TMP/apt/sources.list"
		-o Dir::Etc::SourceParts="$TMP/apt/parts" -o Dir::State::Lists="$TMP/apt/lists"
		-o Dir::Cache="$TMP/apt/cache" -o APT::Sandbox::User=root)
	"${apt[@]}" update && "${apt[@]}" source --download-only hello sed
}

# built WAY…: configure and make in the same folder each time; what came of it is moved to $to.
build() {
	local to=$1 tar=$2
	shift 2
	rm -rf work "$to"
	mkdir work
	tar -xf "$tar" -C work --strip-components=1
	(cd work && "$@" sh -c './configure -q && make -s') >"$to.out" 2>"$to.err" </dev/null
	echo $? >>"$to.out"
	mv work "$to"
}

if ! type -P apt-get make cc >/dev/null || ! fetch >apt.out 2>&1; then
	skip 12 "no sources of packages here: $(tail -n 1 apt.out 2>/dev/null)"
else
	for package in hello sed; do
		tar=$(echo "$package"_*.orig.tar.[gx]z)
		build plain "$tar"
		is "$package builds" "$(tail -n 1 plain.out)" 0
		build traced "$tar" timeout -k 5 400 "$RAMET" trace --json -o "$TMP/trace"
		is '  traced: exit status' "$(tail -n 1 traced.out)" 0
		ok '  the same output' diff plain.out traced.out
		ok '  the same messages' diff plain.err traced.err
		program=$(cd plain && find . -name "$package" -type f -perm -100 | head -n 1)
		ok '  the same program' cmp "plain/$program" "traced/$program"
		last=$(tail -n 1 trace)
		is '  nothing was lost' "$(grep -oE '"(lost|not_followed)":[0-9]+' <<<"$last" | xargs)" \
			'lost:0 not_followed:0'
		diag "$package: $last"
	done
fi

# ---- Python

if [ "$python" ]; then
	cat >pool.py <<'END'
import multiprocessing as m, os, signal, subprocess, sys, threading, time

def square(x):
    return x * x

def work(q, n):
    q.put(sum(range(n)))

if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        c = m.get_context(method)
        with c.Pool(4) as pool:
            print(method, sum(pool.map(square, range(1000))))
        q = c.Queue()
        ps = [c.Process(target=work, args=(q, n)) for n in range(5)]
        [p.start() for p in ps]
        print(sorted(q.get() for _ in ps))
        [p.join() for p in ps]
        print([p.exitcode for p in ps])
    ts = [threading.Thread(target=subprocess.run, args=(["true"],)) for _ in range(20)]
    [t.start() for t in ts]
    [t.join() for t in ts]
    p = subprocess.Popen(["sleep", "100"])
    p.send_signal(signal.SIGSTOP)
    print(os.WIFSTOPPED(os.waitpid(p.pid, os.WUNTRACED)[1]))
    p.kill()
    print(p.wait())
    print(subprocess.run("exit 3", shell=True).returncode, subprocess.getoutput("echo out; kill -9 $$"))
    sys.exit(5)
END
	same 'Python multiprocessing' "$python" pool.py
else
	skip 7 'needs python3'
fi

# ---- Java, Go

if type -P java javac >/dev/null; then
	cat >Tasks.java <<'END'
import java.util.*;
import java.util.concurrent.*;
public class Tasks {
	public static void main(String[] a) throws Exception {
		ExecutorService s = Executors.newFixedThreadPool(8);
		List<Future<Integer>> f = new ArrayList<>();
		for (int i = 0; i < 50; i++) {
			final int n = i;
			f.add(s.submit(() -> new ProcessBuilder("sh", "-c", "exit " + n).start().waitFor()));
		}
		int sum = 0;
		for (Future<Integer> x : f)
			sum += x.get();
		s.shutdown();
		System.out.println(sum);
		System.exit(6);
	}
}
END
	if timeout 120 javac Tasks.java 2>err; then
		same 'Java' java -cp . Tasks
	else
		skip 7 "javac: $(head -n 1 err)"
	fi
else
	skip 7 'needs java and javac'
fi
if type -P go >/dev/null; then
	cat >tasks.go <<'END'
package main

import ("fmt"; "os"; "os/exec"; "sync")

func main() {
	var wg sync.WaitGroup
	var mu sync.Mutex
	sum := 0
	for i := 0; i < 50; i++ {
		wg.Add(1)
		go func(n int) {
			defer wg.Done()
			err := exec.Command("sh", "-c", fmt.Sprint("exit ", n)).Run()
			if e, ok := err.(*exec.ExitError); ok { mu.Lock(); sum += e.ExitCode(); mu.Unlock() }
		}(i)
	}
	wg.Wait()
	fmt.Println(sum)
	os.Exit(6)
}
END
	if HOME=$TMP timeout 300 go build -o tasks tasks.go 2>err; then
		same 'Go' ./tasks
	else
		skip 7 "go: $(head -n 1 err)"
	fi
else
	skip 7 'needs go'
fi

done_testing
