#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh ARCH [all|TEST...]: boot Debian's kernel of that architecture in qemu and run tests in it:
# oracle tests by name, commands with their words. What they print goes to build/vm/ARCH/tests.log,
# the kernel's messages and stderr to console.log, the results to testlog.json as meson writes it.
# build/vm/ARCH must be there (fetch.sh), and the build vm-ARCH.

set -euo pipefail
arch=$1
shift
dir=build/vm/$arch
built=build/vm-$arch
case $arch in
x86_64) qemu=(qemu-system-x86_64) console=ttyS0 out=ttyS1 ;;
aarch64) qemu=(qemu-system-aarch64 -M virt -cpu cortex-a57) console=ttyAMA0 out=ttyS0 ;;
esac
limit=${RAMET_VM_LIMIT:-900}

# By default all but those that are about ramet more than about the kernel, or slow in a guest.
if [ $# -eq 0 ] || [ "$1" = all ]; then
	left_out=" attacks bench_count bench_variants body cancel capture capture_ends copies failures"
	left_out="$left_out fds helper hosted_parts hosted_threads hosts kills leaks parting partition"
	left_out="$left_out shortage template terminals threads_c11 threads_libc threads_posix trees"
	left_out="$left_out wait_any window "
	[ $# -eq 0 ] || left_out=
	set --
	for file in "$built"/tests/test-oracle-*; do
		name=${file##*/test-oracle-}
		[ ! -f "$file" ] || [[ $left_out = *" $name "* ]] || set -- "$@" "$name"
	done
	for name in start sync pool threads own_pid posix stress; do
		[ ! -f "$built/tests/native/test-native-$name" ] || set -- "$@" "native-$name"
	done
	set -- "$@" 'ramet probe' 'ramet run --uid=65534 --gid=65534 -- ramet probe' \
		'ramet explain container' 'ramet tree'
fi

guest=
trap '[ -z "$guest" ] || kill "$guest"; rm -rf "$dir/initrd"' EXIT
trap 'exit 143' HUP INT TERM

# Of the libraries what a program loads: the names with a version.
rm -rf "$dir/initrd"
mkdir -p "$dir"/initrd/{bin,tests.d}
cp -P "$dir/root/bin/busybox" "$dir/initrd/bin"
(cd "$dir/root" && find lib* usr/lib -name '*.so.*' -print0 | cpio -0pdm --quiet ../initrd)
cp tests/vm/init.sh "$dir/initrd/init"
cp "$built/src/ramet" "$dir/initrd/tests.d"
for file in "$built"/tests/test-oracle-*; do
	[ ! -f "$file" ] || cp "$file" "$dir/initrd/tests.d/${file##*/test-oracle-}"
done
for file in "$built"/tests/native/test-native-*; do
	[ ! -f "$file" ] || cp "$file" "$dir/initrd/tests.d/native-${file##*/test-native-}"
done
"$arch-linux-gnu-strip" "$dir"/initrd/tests.d/*
printf '%s\n' "$@" >"$dir/initrd/tests"
(cd "$dir/initrd" && find . | cpio -o -H newc -R 0:0 --quiet) >"$dir/initrd.cpio"

# Never KVM: in a guest of a guest it hangs. A second serial line, or the kernel's messages would
# be among the tests' output.
: >"$dir/tests.log"
timeout -k 5 "$limit" "${qemu[@]}" -accel tcg -smp 2 -m 1024 -nic none -display none \
	-no-reboot -monitor none -serial "file:$dir/console.log" \
	-chardev "file,id=tests,path=$dir/tests.log" -device pci-serial,chardev=tests \
	-kernel "$dir/vmlinuz" -initrd "$dir/initrd.cpio" \
	-append "console=$console quiet loglevel=1 panic=-1 RAMET_OUT=$out RAMET_SWEEP=${RAMET_SWEEP:-10}" &
guest=$!
status=0
wait "$guest" || status=$?
guest=
# The results as meson's testlog.json has them, so that tally.awk counts them.
printf '%s\n' "$@" | awk -v guest="$status" '
	function put(name, text, result, status) {
		gsub(/\\/, "\\\\", text)
		gsub(/"/, "\\\"", text)
		gsub(/\t/, "\\t", text)
		gsub(/\n/, "\\n", text)
		printf "{\"name\": \"%s\", \"stdout\": \"%s\", \"result\": \"%s\", \"starttime\": 0, " \
			"\"returncode\": %d}\n", name, text, result, status
	}
	{ sub(/\r$/, "") }
	FILENAME == "-" { wanted[++n] = $0; next }
	/^=== begin / { name = substr($0, 11); text = ""; next }
	/^=== end / {
		put(name, text, $3 == 0 ? "OK" : $3 == 77 ? "SKIP" : $3 == 137 ? "TIMEOUT" : "FAIL", $3)
		done[name] = 1
		name = ""
		next
	}
	{ text = text $0 "\n" }
	END {
		for (i = 1; i <= n; i++)
			if (!done[wanted[i]])
				put(wanted[i], wanted[i] == name ? text : "", \
					wanted[i] == name ? "GUEST DIED" : "NOT RUN", guest)
	}' - "$dir/tests.log" >"$dir/testlog.json"

if [ "$status" -ne 0 ] || grep -qE '"result": "(GUEST DIED|NOT RUN)"' "$dir/testlog.json"; then
	echo "the guest ended early, or not within $limit s (qemu: $status); its last words:"
	tail -n 20 "$dir/console.log"
	exit 1
fi
