# SPDX-License-Identifier: MIT
# What is installed is enough: a program builds against it by pkg-config alone, shared and
# static, and each public header stands by itself, in C and in C++.
. "$SRCDIR/tests/tap.sh"

root=$TMP/root
ok 'installs under DESTDIR' meson install -C "$BUILDDIR" --no-rebuild --destdir "$root"

PKG_CONFIG_LIBDIR=$(dirname "$(find "$root" -name ramet.pc)")
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR=$root
ok 'pkg-config finds it' pkg-config --print-errors --exists ramet
libdir=$(dirname "$(find "$root" -name libramet.so)")
is "the version is the project's" "$(pkg-config --modversion ramet)" \
	"$(sed -n "s/^  version : '\(.*\)',/\1/p" "$SRCDIR/meson.build")"

# A program that needs every public function there is.
"$NM" --dynamic --defined-only "$libdir/libramet.so" |
	awk '$2 == "T" { sub(/@.*/, "", $3); print "\t(void *)" $3 "," }' >"$TMP/functions"
{
	find "$root" -path '*/ramet/*.h' -printf '#include <ramet/%f>\n'
	echo 'void *volatile used[] = {'
	cat "$TMP/functions"
	echo '};'
	echo 'int main(void) { return !used[0]; }'
} >"$TMP/user.c"
flags='-std=c11 -Wall -Wextra -Werror'
# musl-gcc knows no C++: its headers are the C library's own.
cxx="${CC/musl-gcc/gcc} -x c++ -nostdinc++"

# shellcheck disable=SC2044,SC2046,SC2086 # lists of words
{
	ok 'a program builds with the shared library' \
		$CC $flags -o "$TMP/shared" "$TMP/user.c" $(pkg-config --cflags --libs ramet)
	ok 'a program builds with the static library' \
		$CC $flags -static -o "$TMP/static" "$TMP/user.c" \
		$(pkg-config --static --cflags --libs ramet)
	for header in $(find "$root" -path "*/ramet/*.h"); do
		ok "${header##*/} stands by itself" \
			$CC $flags -pedantic -fsyntax-only -x c \
			$(pkg-config --cflags ramet) "$header"
		if ! $cxx -fsyntax-only /dev/null 2>/dev/null; then
			skip 1 "no C++ compiler"
			continue
		fi
		ok "${header##*/} is C++ too" \
			$cxx -Wall -Wextra -Werror -fsyntax-only \
			$(pkg-config --cflags ramet) "$header"
	done
}

if [ "$CAN_RUN" = yes ]; then
	ok 'the shared one runs' env LD_LIBRARY_PATH="$libdir" "$TMP/shared"
	ok 'the static one runs' "$TMP/static"
else
	skip 2 'built for another machine'
fi
# libramet-rt: each example by what pkg-config says, and a program of the least.
ok 'pkg-config finds ramet-rt' pkg-config --print-errors --exists ramet-rt
echo 'int main(int argc, char **argv, char **envp) { return argc - 1 + !argv + !envp; }' >"$TMP/least.c"
# Names that the library has inside may be the program's own.
cat >"$TMP/names.c" <<-'END'
	#include <ramet/thread.h>
	int page_size = 20, keys = 3, stack_get(void), tls_find(void), mutex_release(void);
	int stack_get(void) { return page_size; }
	int tls_find(void) { return keys; }
	int mutex_release(void) { return 100; }
	static struct ramet_mutex mutex;
	static void *body(void *arg) { return ramet_mutex_lock(&mutex) ? NULL : arg; }
	int main(void)
	{
		struct ramet_thread *thread;
		uint32_t key;
		void *result;

		if (ramet_key_create(NULL, &key) || ramet_thread_create(NULL, body, &key, &thread) ||
		    ramet_thread_join(thread, &result) || result != &key)
			return 1;
		return stack_get() + tls_find() + mutex_release();
	}
END
# What compilers make calls of, as ordinary options have it.
cat >"$TMP/calls.c" <<-'END'
	#include <ramet/thread.h>
	static unsigned long length(const char *s)
	{
		unsigned long n = 0;

		while (s[n])
			n++;
		return n;
	}
	int memcmp(const void *a, const void *b, __SIZE_TYPE__ n);
	int main(int argc, char **argv)
	{
		const unsigned long n = length(argv[0]);
		long double part = (long double)n / argc;
		char copy[4096] = "";

		for (unsigned long i = 0; i < n && i < sizeof(copy); i++)
			copy[i] = argv[0][i];
		if (memcmp(copy, argv[0], n) != 0)
			return 1;
		#ifdef __SIZEOF_INT128__
		if ((((unsigned __int128)n << 64) + n) / (n | (unsigned)argc << 8) == 3)
			return 2;
		#endif
		return part > 1 ? 77 : 3;
	}
END
# musl brings no kernel headers: ./dev has linked the distribution's.
kernel=
[ ! -d "$SRCDIR/build/uapi" ] || kernel="-idirafter $SRCDIR/build/uapi"
# clang warns of -no-pie where it links nothing of its own.
case $CC in *clang*) kernel="$kernel -Wno-unused-command-line-argument" ;; esac
# shellcheck disable=SC2046,SC2086 # lists of words
for file in "$TMP/least.c" "$TMP/names.c" "$TMP/calls.c" "$SRCDIR"/examples/rt/*.c; do
	name=${file##*/}
	ok "$name builds with libramet-rt" \
		$CC -O2 $flags $kernel -o "$TMP/${name%.c}" "$file" $(pkg-config --cflags --libs ramet-rt)
	is "$name is static and needs no loader" \
		"$(readelf -lW "$TMP/${name%.c}" | grep -cE 'INTERP|DYNAMIC')" 0
	is "$name has nothing that can be written and executed" \
		"$(readelf -lW "$TMP/${name%.c}" | grep -cE ' RWE ')" 0
done
if [ "$CAN_RUN" = yes ]; then
	ok 'the least runs' "$TMP/least"
	"$TMP/names"
	is 'that with names of its own does' $? 123
	"$TMP/calls"
	is 'and that of what compilers call' $? 77
	is 'and so does an example' "$("$TMP/checksum" "$TMP/user.c")" "$(cksum "$TMP/user.c")"
else
	skip 4 'built for another machine'
fi

unlike 'the static one needs no library' "$("$NM" --undefined-only "$TMP/static")" 'ramet_'

done_testing
