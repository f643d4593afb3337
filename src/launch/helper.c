/* SPDX-License-Identifier: MIT */
#include "launch/helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch/image.h"

extern const unsigned char launch_helper[], launch_helper_end[];

static int make_record(struct helper *h)
{
	void *map;

	h->record_file = memfd_create("ramet-record", MFD_CLOEXEC);
	if (h->record_file < 0 || ftruncate(h->record_file, sizeof(*h->record)) < 0)
		return -errno;
	map = mmap(NULL, sizeof(*h->record), PROT_READ | PROT_WRITE, MAP_SHARED, h->record_file, 0);
	if (map == MAP_FAILED)
		return -errno;
	h->record = map;
	h->record->word = CHILD_WORD_STEPPING;
	return 0;
}

static int make_program(struct helper *h)
{
	struct stat st;

	h->program = sealed_file("ramet-helper", launch_helper,
				 (size_t)(launch_helper_end - launch_helper), true);
	if (h->program < 0)
		return h->program;
	if (fstat(h->program, &st) < 0)
		return -errno;
	h->inode = st.st_ino;
	return 0;
}

static void add_boot(struct helper *h, struct ramet_step step)
{
	h->boot[h->boot_count++] = step;
}

/*
 * The child that becomes the helper takes along its two files, and what the steps name of the
 * caller's descriptors though it would be closed by exec; the helper marks those again.
 */
static int make_boot(struct helper *h, const struct image_caps *caps, const int32_t *marked,
		     unsigned marked_count, size_t image_size)
{
	static char name[] = "ramet-helper";

	h->boot = calloc(marked_count + 5, sizeof(*h->boot));
	if (!h->boot)
		return -ENOMEM;
	snprintf(h->texts[0], sizeof(h->texts[0]), "%d", h->image);
	snprintf(h->texts[1], sizeof(h->texts[1]), "%d", h->record_file);
	snprintf(h->texts[2], sizeof(h->texts[2]), "%zu", image_size);
	h->argv[0] = name;
	for (int i = 0; i < 3; i++)
		h->argv[i + 1] = h->texts[i];
	h->argv[4] = h->envp[0] = NULL;
	for (unsigned i = 0; i < marked_count; i++)
		add_boot(h, (struct ramet_step)RAMET_KEEP(marked[i]));
	if (caps->carry) {
		add_boot(h, (struct ramet_step)RAMET_CAPS(caps->permitted,
							  caps->permitted | caps->inheritable));
		add_boot(h, (struct ramet_step)RAMET_AMBIENT(caps->permitted));
	}
	add_boot(h, (struct ramet_step)RAMET_KEEP(h->image));
	add_boot(h, (struct ramet_step)RAMET_KEEP(h->record_file));
	add_boot(h, (struct ramet_step){.kind = RAMET_STEP_EXEC,
					.number = h->program,
					.argv = h->argv,
					.envp = h->envp});
	return 0;
}

static int open_with(const struct plan *plan, int32_t *marked, struct helper *h)
{
	const unsigned marked_count = marked_descriptors(plan, marked);
	struct image_caps caps;
	size_t size = 0;
	int r;

	image_caps_read(plan, &caps);
	r = make_record(h);
	if (r == 0)
		r = make_program(h);
	if (r == 0)
		h->image = r = image_make(plan, &caps, marked, marked_count, &size);
	return r < 0 ? r : make_boot(h, &caps, marked, marked_count, size);
}

int helper_open(const struct plan *plan, struct helper *ret)
{
	int32_t *marked = calloc(plan->count + 1, sizeof(*marked));
	int r;

	*ret = (struct helper){.program = -1, .image = -1, .record_file = -1};
	r = marked ? open_with(plan, marked, ret) : -ENOMEM;
	free(marked);
	if (r < 0)
		helper_close(ret);
	return r;
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void helper_close_files(struct helper *helper)
{
	close_file(&helper->program);
	close_file(&helper->image);
	close_file(&helper->record_file);
	free(helper->boot);
	helper->boot = NULL;
}

void helper_close(struct helper *helper)
{
	helper_close_files(helper);
	if (helper->record)
		munmap(helper->record, sizeof(*helper->record));
	helper->record = NULL;
}

bool helper_has_execed(const struct helper *helper, pid_t tid)
{
	struct stat st;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)tid);
	return stat(path, &st) == 0 && st.st_ino != helper->inode;
}

/* vm.memfd_noexec 2 gives EACCES; filters give ENOSYS or EPERM. */
bool helper_is_missing(int error)
{
	return error == -ENOSYS || error == -EPERM || error == -EACCES;
}
