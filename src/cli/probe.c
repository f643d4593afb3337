/* SPDX-License-Identifier: MIT */
/* ramet probe */
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/cli.h"
#include "probe/probe.h"

struct settings {
	bool json;
	bool verbose;
};

static const struct cli_option options[] = {
	{.name = "--verbose",
	 .letter = 'v',
	 .help = "every answer with what was seen, for several tasks too",
	 .set = cli_set_flag,
	 .offset = CLI_FIELD(struct settings, verbose)},
	{.name = "--json",
	 .help = "for programs; see ramet-probe(1)",
	 .set = cli_set_flag,
	 .offset = CLI_FIELD(struct settings, json)},
	{0},
};

/* CAP_SYS_ADMIN decides whether the container preset needs a user namespace. */
static bool is_privileged(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	return syscall(SYS_capget, &head, data) == 0 && data[0].effective >> CAP_SYS_ADMIN & 1;
}

static int read_request(const char *word, struct probe_request *ret)
{
	struct probe_request request = {.name = word};
	enum ramet_preset preset;
	size_t bad = 0;
	int r;

	if (ramet_preset_parse(word, &preset) == 0)
		r = ramet_preset_flags(preset, is_privileged(), &request.flags,
				       &request.exit_signal);
	else
		r = ramet_flags_parse(word, &request.flags, &request.exit_signal, &bad);
	if (r < 0) {
		const char *names[RAMET_PRESET_COUNT_] = {NULL}, *near;
		size_t n = 0;

		for (int i = RAMET_PRESET_FORK; i < RAMET_PRESET_COUNT_; i++)
			names[n++] = ramet_preset_name(i);
		near = cli_nearest(word, names);
		if (near)
			cli_say("probe: '%s' is no preset and no flags; did you mean %s?", word,
				near);
		else
			cli_say("probe: '%s' is no preset, and '%s' in it is no flag or signal",
				word, bad < strlen(word) ? word + bad : word);
		return r;
	}
	*ret = request;
	return 0;
}

static int show(const struct cli_common *common, const struct settings *settings,
		const struct probe_result *results, size_t n)
{
	struct utsname uts;
	char user[32];
	struct probe_view view = {
		.out = stdout,
		.color = out_use_color(common->color, stdout),
		.verbose = settings->verbose,
		.user = user,
	};
	int r;

	uname(&uts);
	view.kernel = uts.release;
	view.machine = uts.machine;
	snprintf(user, sizeof(user), geteuid() ? "uid %u" : "root", (unsigned)geteuid());
	r = settings->json ? probe_view_json(&view, results, n)
			   : probe_view_text(&view, results, n);
	if (r < 0)
		cli_say("cannot print: %s", strerror(-r));
	return r;
}

static int probe_all(const struct cli_common *common, const struct settings *settings, int count,
		     char **words)
{
	struct probe_result *results = calloc((size_t)count, sizeof(*results));
	int status = CLI_OK;

	if (!results) {
		cli_say("%s", strerror(ENOMEM));
		return CLI_FAILED;
	}
	for (int i = 0; i < count; i++) {
		struct probe_request request;
		struct probe_failure failure;

		if (read_request(words[i], &request) < 0) {
			status = CLI_USAGE;
			goto out;
		}
		if (probe_run(&request, &results[i], &failure) < 0) {
			cli_say("probe: %s: %s", words[i], failure.text);
			status = CLI_FAILED;
			goto out;
		}
		if (!results[i].agree)
			status = CLI_FAILED;
	}
	if (show(common, settings, results, (size_t)count) < 0)
		status = CLI_FAILED;
out:
	free(results);
	return status;
}

static int run(const struct cli_common *common, void *settings, int count, char **words)
{
	char *presets[RAMET_PRESET_COUNT_] = {NULL};
	int n = 0;

	if (count)
		return probe_all(common, settings, count, words);
	for (int i = RAMET_PRESET_FORK; i < RAMET_PRESET_COUNT_; i++)
		presets[n++] = (char *)(uintptr_t)ramet_preset_name(i);
	return probe_all(common, settings, n, presets);
}

const struct cli_verb cli_probe = {
	.name = "probe",
	.args = "[PRESET | FLAGS]…",
	.summary =
		"start such a task on this kernel and show, resource by resource, what it shares",
	.about =
		"Makes a task of the kind named and finds out what it shares with its parent, by\n"
		"experiment, by kcmp and /proc, and by the kernel's rules. Without a name: fork vfork\n"
		"spawn nptl linuxthreads container. FLAGS: 'CLONE_VM|CLONE_FILES|SIGCHLD', 'vm|files',\n"
		"0x4111. Exit status: 0 all agree, 1 they do not or the kernel refuses, 2 usage.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = run,
};
