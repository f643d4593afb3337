/* SPDX-License-Identifier: MIT */
/* What each kind of namespace costs at birth: one program in a new one, by ramet's launch. */
#include "bench/scenes.h"

#define ALL                                                                                        \
	(RAMET_MNT | RAMET_PID | RAMET_NET | RAMET_IPC | RAMET_UTS | RAMET_USER | RAMET_CGROUPNS | \
	 RAMET_TIME)

static long launch(struct bench_scene *scene, uint32_t fresh)
{
	struct ramet_task task;
	struct ramet_error error;
	const int r = ramet_launch(&RAMET_SPEC(.program = scene->program, .argv = scene_argv,
					       .envp = scene_envp, .fresh = fresh,
					       .options = RAMET_NO_PIDFD),
				   &task, &error);

	return r < 0 ? scene_fail_launch(scene, r, &error) : scene_reap_task(scene, &task);
}

/* Whoever may not have it is told at once. */
#define NAMESPACE(word, label, fresh_, what_)                                                      \
	static long run_##word(struct bench_scene *scene)                                          \
	{                                                                                          \
		return launch(scene, fresh_);                                                      \
	}                                                                                          \
	static const struct bench_variant new_##word = {                                           \
		.name = label,                                                                     \
		.what = "ramet_launch without a pidfd, ramet_wait: " what_,                        \
		.begin = run_##word,                                                               \
		.run = run_##word,                                                                 \
	}

NAMESPACE(none, "none", 0, "no new namespace");
NAMESPACE(mnt, "mnt", RAMET_MNT, "a new mount namespace");
NAMESPACE(pid, "pid", RAMET_PID, "a new PID namespace, the program is its init");
NAMESPACE(net, "net", RAMET_NET, "a new network namespace");
NAMESPACE(ipc, "ipc", RAMET_IPC, "a new IPC namespace");
NAMESPACE(uts, "uts", RAMET_UTS, "a new UTS namespace");
NAMESPACE(user, "user", RAMET_USER, "a new user namespace without id maps");
NAMESPACE(cgroup, "cgroup", RAMET_CGROUPNS, "a new cgroup namespace");
NAMESPACE(time, "time", RAMET_TIME, "a new time namespace");
NAMESPACE(all, "all", ALL, "all of these new");

static const struct bench_variant *const variants[] = {
	&new_none, &new_mnt,	&new_pid,  &new_net, &new_ipc, &new_uts,
	&new_user, &new_cgroup, &new_time, &new_all, NULL,
};

static const struct bench_pair pairs[] = {
	{"mnt", "none"},  {"pid", "none"},    {"net", "none"},	{"ipc", "none"}, {"uts", "none"},
	{"user", "none"}, {"cgroup", "none"}, {"time", "none"}, {"all", "none"}, {NULL, NULL},
};

const struct bench_workload workload_namespaces = {
	.name = "namespaces",
	.what = "Time to start a program in a namespace made for it and wait for its end.",
	.unit = BENCH_NO_AXIS,
	.points = {0, BENCH_POINTS_END},
	.wanted = 1000,
	.variants = variants,
	.pairs = pairs,
};
