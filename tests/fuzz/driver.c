/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target without libFuzzer: files named on the command line, or a fixed number of
 * random inputs, half of them bytes and half strung together from the target's words.
 */
#include "tap.h"
#include "fuzz/fuzz.h"

#define ROUNDS 20000
#define INPUT_MAX 512

static size_t random_bytes(uint8_t *input)
{
	const size_t size = tap_below(INPUT_MAX);

	for (size_t i = 0; i < size; i++)
		input[i] = (uint8_t)tap_random();
	return size;
}

static size_t random_words(uint8_t *input)
{
	const uint64_t count = tap_below(6);
	unsigned words = 0;
	size_t size = 0;

	while (fuzz_words[words])
		words++;
	for (uint64_t i = 0; i <= count; i++) {
		const char *word = fuzz_words[tap_below(words)];

		if (size + strlen(word) + 1 >= INPUT_MAX)
			break;
		memcpy(input + size, word, strlen(word));
		size += strlen(word);
		if (tap_below(16) == 0)
			input[size++] = (uint8_t)tap_random();
	}
	return size;
}

static int run_file(const char *path)
{
	static uint8_t input[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		return 1;
	}
	size = fread(input, 1, sizeof(input), file);
	fclose(file);
	LLVMFuzzerTestOneInput(input, size);
	return 0;
}

int main(int argc, char **argv)
{
	uint8_t input[INPUT_MAX];
	int bad = 0;

	for (int i = 1; i < argc; i++)
		bad |= run_file(argv[i]);
	if (argc > 1)
		return bad;
	tap_seed();
	for (int i = 0; i < ROUNDS; i++)
		LLVMFuzzerTestOneInput(input, i & 1 ? random_bytes(input) : random_words(input));
	ok(true, "the properties hold for %d random inputs", ROUNDS);
	return tap_done();
}
