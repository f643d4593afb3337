/* SPDX-License-Identifier: MIT */
/* page KIND VIEW: a made-up result (tests/lib/bench_made.h) as html, svg, json, csv or text. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "lib/bench_made.h"

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*view)(const struct bench_result *result, FILE *out);
	} views[] = {
		{"html", bench_view_html},
		{"svg", bench_view_svg},
		{"json", bench_view_json},
		{"csv", bench_view_csv},
	};
	struct bench_result *result = NULL;

	setlocale(LC_CTYPE, "");
	for (size_t i = 0; argc == 3 && i < sizeof(made_names) / sizeof(made_names[0]); i++)
		if (!strcmp(argv[1], made_names[i]))
			result = make_result((enum made)i);
	if (!result)
		return 2;
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (!strcmp(argv[2], views[i].name))
			return views[i].view(result, stdout) < 0;
	if (strncmp(argv[2], "text", 4) != 0)
		return 2;
	bench_view_text(result, stdout, !strcmp(argv[2], "text-color"), true);
	return 0;
}
