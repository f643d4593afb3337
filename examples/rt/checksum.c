/* SPDX-License-Identifier: MIT */
/*
 * A parallel checksum tool: rt-checksum FILE... prints what cksum prints, each file read in parts by
 * as many threads as there are processors. The checksum of two parts one after the other is made
 * of theirs: that of the first, moved up by the second's length, plus that of the second.
 */
#include "rt.h"

#define POLYNOMIAL 0x04c11db7u
#define PART_LEAST (1L << 20)
#define PARTS_MOST 64
#define CLOEXEC 02000000
#define SEEK_TO_END 2
#define EINTR_ (-4)
#define EIO_ (-5)

struct part {
	struct ramet_job job;
	int fd;
	long from, size;
	uint32_t sum;
	long error;
};

static uint32_t table[256];

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i << 24;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] << 1 ^ (table[i] >> 31 ? POLYNOMIAL : 0);
	}
}

static uint32_t add(uint32_t sum, const unsigned char *data, long size)
{
	while (size-- > 0)
		sum = sum << 8 ^ table[sum >> 24 ^ *data++];
	return sum;
}

/* a times b, polynomials modulo the above. */
static uint32_t times(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (int bit = 31; bit >= 0; bit--) {
		product = product << 1 ^ (product >> 31 ? POLYNOMIAL : 0);
		product ^= b >> bit & 1 ? a : 0;
	}
	return product;
}

/* With so many bytes of 0 after it. */
static uint32_t move_up(uint32_t sum, long bytes)
{
	for (uint32_t power = 1 << 8; bytes; bytes >>= 1, power = times(power, power))
		if (bytes & 1)
			sum = times(sum, power);
	return sum;
}

/* Not by mmap: a file that becomes shorter meanwhile would kill us. */
static void *read_part(void *arg)
{
	struct part *part = arg;
	unsigned char data[65536];
	long done = 0;

	while (done < part->size && !part->error) {
		const long left = part->size - done;
		const long n = CALL(pread64, part->fd, data,
				    left < (long)sizeof(data) ? left : (long)sizeof(data),
				    part->from + done);

		if (n > 0) {
			part->sum = add(part->sum, data, n);
			done += n;
		} else if (n != EINTR_) {
			part->error = n < 0 ? n : EIO_;
		}
	}
	return NULL;
}

static int processors(void)
{
	unsigned long set[16] = {0};
	const long size = ramet_thread_get_affinity(ramet_thread_self(), set, sizeof(set));
	int count = 0;

	for (long i = 0; i < size / (long)sizeof(*set); i++)
		for (unsigned long rest = set[i]; rest; rest &= rest - 1)
			count++;
	return count < 1 ? 1 : count > PARTS_MOST ? PARTS_MOST : count;
}

/* The sum of the file's bytes, without its length. */
static long sum_up(struct ramet_pool *pool, int fd, long size, uint32_t *ret)
{
	static struct part parts[PARTS_MOST];
	long step = (size + processors() - 1) / processors(), from = 0, error = 0;
	int count = 0;

	if (step < PART_LEAST)
		step = PART_LEAST;
	for (; from < size; from += step) {
		struct part *part = &parts[count++];

		*part = (struct part){.fd = fd, .from = from};
		part->size = step < size - from ? step : size - from;
		part->job.fn = read_part;
		part->job.arg = part;
		/* No thread to be had: then by ourselves. */
		if (ramet_pool_submit(pool, &part->job) < 0) {
			part->job.fn = NULL;
			read_part(part);
		}
	}
	*ret = 0;
	for (int i = 0; i < count; i++) {
		if (parts[i].job.fn)
			ramet_job_wait(&parts[i].job, NULL);
		if (parts[i].error)
			error = parts[i].error;
		*ret = move_up(*ret, parts[i].size) ^ parts[i].sum;
	}
	return error;
}

static int check(struct ramet_pool *pool, const char *name)
{
	const long fd = CALL(openat, HERE, name, CLOEXEC);
	const long size = fd < 0 ? fd : CALL(lseek, fd, 0, SEEK_TO_END);
	struct line line = {.used = 0};
	uint32_t sum = 0;
	long error = size < 0 ? size : sum_up(pool, (int)fd, size, &sum);

	if (fd >= 0)
		CALL(close, fd);
	if (error < 0)
		return fail("rt-checksum", name, error);
	for (unsigned long rest = (unsigned long)size; rest; rest >>= 8)
		sum = add(sum, &(unsigned char){(unsigned char)rest}, 1);
	put_number(&line, ~sum);
	put(&line, " ");
	put_number(&line, (uint64_t)size);
	put(&line, " ");
	put(&line, name);
	put(&line, "\n");
	say(1, &line);
	return 0;
}

int main(int argc, char **argv, char **envp)
{
	struct ramet_pool pool;
	int bad = 0;

	(void)envp;
	if (argc < 2)
		return fail("rt-checksum", "usage: rt-checksum FILE...", 0);
	make_table();
	if (ramet_pool_init(&pool, &RAMET_POOL_ATTR(.threads = (uint32_t)processors())) < 0)
		return 1;
	for (int i = 1; i < argc; i++)
		bad |= check(&pool, argv[i]);
	ramet_pool_end(&pool);
	return bad;
}
