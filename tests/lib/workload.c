/* SPDX-License-Identifier: MIT */
/*
 * Programs to be traced: workload NAME [COUNT]. Each does one thing that is hard to trace, or
 * many small ones, and prints nothing unless it says so; exit status 0 if all was as it should be.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "uapi/clone.h"

static char *self;

static void *nothing(void *arg)
{
	return arg;
}

static void *sleeper(void *arg)
{
	pause();
	return arg;
}

static void *ender(void *arg)
{
	usleep(100000);
	exit(*(int *)arg);
}

/* ---- Many ---- */

static int threads(long n)
{
	pthread_t thread;

	while (n--)
		if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL))
			return 1;
	return 0;
}

static int forks(long n)
{
	int status;

	while (n--) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(7);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 7)
			return 1;
	}
	return 0;
}

static int spawns(long n)
{
	while (n--) {
		pid_t pid = fork();

		if (pid == 0) {
			execl(self, self, "forks", "0", NULL);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			return 1;
	}
	return 0;
}

/* n threads at a time, all of which are still there when the process ends. */
static int live(long n)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	while (n--)
		if (pthread_create(&thread, &attr, sleeper, NULL))
			return 1;
	return 0;
}

/* Four threads that fork and make threads at the same time. */
static void *mixer(void *arg)
{
	long n = *(long *)arg;

	return (void *)(long)(forks(n / 8) || threads(n / 8));
}

static int mixed(long n)
{
	pthread_t thread[4];
	void *result;
	int bad = 0;

	for (int i = 0; i < 4; i++)
		if (pthread_create(&thread[i], NULL, mixer, &n))
			return 1;
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &result);
		bad |= result != NULL;
	}
	return bad;
}

/* Makers that are killed while they make: each leaves what it has made to us. */
static int storm(long n)
{
	signal(SIGCHLD, SIG_IGN);
	while (n--) {
		pid_t pid = fork();

		if (pid == 0) {
			setpgid(0, 0);
			for (;;)
				if (fork() == 0)
					_exit(0);
		}
		setpgid(pid, pid);
		usleep(500 + (unsigned)n * 37 % 2000);
		kill(-pid, SIGKILL);
	}
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	return 0;
}

/* No tasks: n times a block is read and added up. */
static int busy(long n)
{
	const int fd = open(self, O_RDONLY | O_CLOEXEC);
	unsigned char block[4096];
	volatile unsigned sum = 0;
	unsigned s = 0;

	for (long i = 0; i < n; i++) {
		if (pread(fd, block, sizeof(block), 0) != sizeof(block))
			return 1;
		for (size_t k = 0; k < sizeof(block); k++)
			s = s * 31 + block[k];
	}
	sum += s;
	close(fd);
	return 0;
}

/* ---- Hard ones ---- */

static void *caller_of_exec(void *arg)
{
	execl(self, self, "forks", "1", NULL);
	return arg;
}

static int thread_exec(long n)
{
	pthread_t thread;

	(void)n;
	pthread_create(&thread, NULL, sleeper, NULL);
	pthread_create(&thread, NULL, caller_of_exec, NULL);
	pause();
	return 1;
}

static int leader_ends(long n)
{
	static int status = 0;
	pthread_t thread;

	(void)n;
	pthread_create(&thread, NULL, ender, &status);
	pthread_exit(NULL);
}

/* CLONE_UNTRACED; the call's first argument must come back unchanged in both. */
static int untraced(long n)
{
	long flags = CLONE_UNTRACED | SIGCHLD, r = -ENOSYS;
	int status;

	(void)n;
#ifdef __x86_64__
	{
		register long r10 __asm__("r10") = 0;
		register long r8 __asm__("r8") = 0;

		r = SYS_clone;
		__asm__ volatile("syscall"
				 : "+a"(r), "+D"(flags)
				 : "S"(0), "d"(0), "r"(r10), "r"(r8)
				 : "rcx", "r11", "memory");
	}
#else
	r = syscall(SYS_clone, flags, 0, 0, 0, 0);
#endif
	if (r == 0)
		_exit(flags == (CLONE_UNTRACED | SIGCHLD) && forks(1) == 0 ? 0 : 9);
	if (r < 0 || waitpid((pid_t)r, &status, 0) != r)
		return 2;
	return flags != (CLONE_UNTRACED | SIGCHLD) || status ? 3 : 0;
}

/* fork as a 32-bit program calls it. 77: not on this machine. */
static int int80(long n)
{
	(void)n;
#ifdef __x86_64__
	int status;
	long r = 20; /* getpid */

	if (n == 0)
		return 77;
	__asm__ volatile("int $0x80" : "+a"(r) : : "r8", "r9", "r10", "r11", "memory");
	if (r != getpid())
		return 77;
	r = 120; /* clone */
	__asm__ volatile("int $0x80"
			 : "+a"(r)
			 : "b"(CLONE_FILES | SIGCHLD), "c"(0), "d"(0), "S"(0), "D"(0)
			 : "r8", "r9", "r10", "r11", "memory");
	if (r == 0)
		_exit(5);
	if (r < 0 || waitpid((pid_t)r, &status, 0) != r)
		return 2;
	return WEXITSTATUS(status) == 5 ? 0 : 3;
#else
	return 77;
#endif
}

/* A program that wants to be the tracer, of itself or of a child. */
static int tracer(long n)
{
	pid_t pid;
	int status;

	(void)n;
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 || errno != EPERM)
		return 1;
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	if (ptrace(PTRACE_ATTACH, pid, 0, 0) == 0 || errno != EPERM)
		return 2;
	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) != pid;
}

/*
 * A child that stops itself, is seen to be stopped, does nothing until it is continued. It says
 * when it moves, and then waits: at its end nobody could see any more that it was continued.
 */
static int stops(long n)
{
	int status, ends[2];
	pid_t pid;
	char byte = 0;

	while (n--) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
			return 5;
		pid = fork();
		if (pid == 0) {
			close(ends[0]);
			raise(SIGSTOP);
			if (send(ends[1], &byte, 1, 0) != 1 || recv(ends[1], &byte, 1, 0) != 1)
				_exit(9);
			_exit(forks(1) + 3);
		}
		close(ends[1]);
		if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status) ||
		    WSTOPSIG(status) != SIGSTOP)
			return 1;
		usleep(2000);
		if (waitpid(pid, &status, WNOHANG) != 0 ||
		    recv(ends[0], &byte, 1, MSG_DONTWAIT) >= 0)
			return 2;
		kill(pid, SIGCONT);
		if (waitpid(pid, &status, WCONTINUED) != pid || !WIFCONTINUED(status))
			return 3;
		if (recv(ends[0], &byte, 1, 0) != 1 || send(ends[0], &byte, 1, 0) != 1)
			return 6;
		if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 3)
			return 4;
		close(ends[0]);
	}
	return 0;
}

/* A process with threads is stopped while it makes more: nothing may move until it goes on. */
static volatile int stop_going;
static volatile long *moves; /* shared with the process that is stopped */

static void *move(void *arg)
{
	for (int i = 0; i < 2000; i++)
		++*moves;
	return arg;
}

static void *maker(void *arg)
{
	pthread_t thread;

	while (!stop_going)
		if (!pthread_create(&thread, NULL, moves ? move : nothing, NULL))
			pthread_join(thread, NULL);
	return arg;
}

static void be_stopped(void)
{
	pthread_t thread[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, maker, NULL);
	usleep(100000);
	stop_going = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
}

static int stop_threads(long n)
{
	int status;
	pid_t pid;

	moves = mmap(NULL, sizeof(*moves), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	pid = fork();
	if (pid == 0) {
		be_stopped();
		_exit(0);
	}
	while (n--) {
		long moved;

		usleep(1000);
		kill(pid, SIGSTOP);
		if (waitpid(pid, &status, WUNTRACED) != pid)
			return 1;
		if (!WIFSTOPPED(status)) /* it has ended before */
			return status != 0;
		moved = *moves;
		usleep(2000);
		if (*moves != moved)
			return 2;
		kill(pid, SIGCONT);
	}
	return waitpid(pid, &status, 0) != pid || status;
}

/* n threads that make threads for a minute. */
static int live_on(long n)
{
	pthread_t thread;

	while (n--)
		pthread_create(&thread, NULL, maker, NULL);
	sleep(60);
	return 0;
}

/* Signals that interrupt fork: a timer that never rests. */
static void tick(int sig)
{
	(void)sig;
}

static int signals(long n)
{
	const struct itimerval often = {{0, 300}, {0, 300}};
	struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
	int bad;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	bad = forks(n);
	return bad;
}

/* Of `n` MB: a fork whose child calls exec. */
static int big(long n)
{
	const size_t size = (size_t)n << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return 77;
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
	return spawns(3);
}

/* A filter of its own that wants a tracer: there is none, whoever else traces. */
static int own_filter(long n)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	(void)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 77;
	if (syscall(SYS_getppid) != -1 || errno != ENOSYS)
		return 1;
	if (syscall(SYS_unshare, CLONE_FS) != -1 || errno != ENOSYS)
		return 2;
	return forks(2);
}

static int refused(long n)
{
	(void)n;
	if (unshare(CLONE_PIDFD) == 0 || errno != EINVAL)
		return 1;
	if (syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0) >= 0 || errno != EINVAL)
		return 2;
	if (setns(1000, 0) == 0 || errno != EBADF)
		return 3;
	return 0;
}

static const struct {
	const char *name;
	int (*run)(long n);
	long count;
} loads[] = {
	{"threads", threads, 1000},
	{"forks", forks, 100},
	{"spawns", spawns, 100},
	{"live", live, 100},
	{"mixed", mixed, 800},
	{"storm", storm, 20},
	{"busy", busy, 100000},
	{"thread-exec", thread_exec, 1},
	{"leader-ends", leader_ends, 1},
	{"untraced", untraced, 1},
	{"int80", int80, 1},
	{"tracer", tracer, 1},
	{"stops", stops, 3},
	{"stop-threads", stop_threads, 20},
	{"signals", signals, 200},
	{"big", big, 256},
	{"refused", refused, 1},
	{"own-filter", own_filter, 1},
	{"live-on", live_on, 4},
};

int main(int argc, char **argv)
{
	self = argv[0];
	for (size_t i = 0; argc > 1 && i < sizeof(loads) / sizeof(loads[0]); i++)
		if (!strcmp(argv[1], loads[i].name))
			return loads[i].run(argc > 2 ? atol(argv[2]) : loads[i].count);
	fprintf(stderr, "workload: NAME [COUNT]\n");
	return 64;
}
