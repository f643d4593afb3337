/* SPDX-License-Identifier: MIT */
/* ramet run --json: what became of the program, for programs. Keys: ramet-run(1). */
#include <ramet/ramet.h>

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/result.h"
#include "tree/tree.h"

/* A name is bytes and may be no text; JSON is UTF-8. */
static struct json_object *text_of(const char *value)
{
	const size_t n = value ? strlen(value) : 0, size = 3 * n + 1;
	char *text = value ? malloc(size) : NULL;
	struct json_object *object = NULL;

	if (text) {
		tree_utf8(value, n, text, size);
		object = json_object_new_string(text);
	}
	free(text);
	return object;
}

static void put_text(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, text_of(value));
}

static void put_number(struct json_object *o, const char *key, int64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

static struct json_object *words_of(char *const *words)
{
	struct json_object *list = json_object_new_array();

	for (; *words; words++)
		json_object_array_add(list, text_of(*words));
	return list;
}

static const struct {
	unsigned bit;
	const char *name;
} losses[] = {
	{RAMET_LOST_CLONE3, "clone3"}, {RAMET_LOST_PIDFD, "pidfd"}, {RAMET_LOST_SHARE, "share"},
	{RAMET_LOST_HELPER, "helper"}, {RAMET_LOST_TABLE, "table"},
};

static void put_task(struct json_object *o, const struct ramet_task *task)
{
	struct json_object *lost = json_object_new_array();
	char flags[1024];

	put_number(o, "pid", task->tid);
	put_text(o, "way", ramet_way_name(task->way));
	ramet_flags_format(task->flags, flags, sizeof(flags));
	put_text(o, "flags", flags);
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		if (task->lost & losses[i].bit)
			json_object_array_add(lost, json_object_new_string(losses[i].name));
	json_object_object_add(o, "lost", lost);
}

static int64_t microseconds(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void put_status(struct json_object *o, const struct ramet_status *status)
{
	struct json_object *usage = json_object_new_object();

	if (status->exited)
		put_number(o, "status", status->code);
	else
		put_text(o, "signal", ramet_signal_name(status->code));
	json_object_object_add(o, "core", json_object_new_boolean(status->core));
	put_number(usage, "user_us", microseconds(status->rusage.ru_utime));
	put_number(usage, "system_us", microseconds(status->rusage.ru_stime));
	put_number(usage, "max_rss_kb", status->rusage.ru_maxrss);
	put_number(usage, "minor_faults", status->rusage.ru_minflt);
	put_number(usage, "major_faults", status->rusage.ru_majflt);
	json_object_object_add(o, "rusage", usage);
}

static void put_error(struct json_object *o, const struct ramet_error *error)
{
	struct json_object *e = json_object_new_object();
	char text[512];

	ramet_error_format(error, text, sizeof(text));
	put_text(e, "text", text);
	put_number(e, "errno", error->error);
	put_text(e, "step", error->stage == RAMET_STAGE_STEP ? ramet_step_name(error->kind) : NULL);
	put_text(e, "rule", error->rule);
	put_text(e, "why", error->why);
	put_text(e, "mend", error->mend);
	json_object_object_add(o, "error", e);
}

FILE *result_open(const char *where)
{
	char *end;
	long fd = strtol(where, &end, 10);

	if (*where >= '0' && *where <= '9' && !*end) {
		if (fd > INT_MAX) {
			errno = EBADF;
			return NULL;
		}
		fd = fcntl((int)fd, F_DUPFD_CLOEXEC, 3);
		return fd < 0 ? NULL : fdopen((int)fd, "w");
	}
	return fopen(where, "we");
}

int result_write(FILE *stream, const struct result *result)
{
	struct json_object *o = json_object_new_object();
	int r;

	put_number(o, "schema", 1);
	json_object_object_add(o, "command", words_of(result->words));
	if (result->task)
		put_task(o, result->task);
	if (result->status)
		put_status(o, result->status);
	if (result->error)
		put_error(o, result->error);
	put_number(o, "wall_us", result->wall_us);
	r = out_json(stream, o);
	if (fclose(stream) != 0 && r == 0)
		r = -errno;
	return r;
}
