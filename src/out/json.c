/* SPDX-License-Identifier: MIT */
#include "out/out.h"

#include <errno.h>
#include <json-c/json.h>

int out_json(FILE *stream, struct json_object *object)
{
	const int style = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			  JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text = json_object_to_json_string_ext(object, style);
	int r = text ? 0 : -ENOMEM;

	if (text && fprintf(stream, "%s\n", text) < 0) {
		r = -errno;
		out_forget(stream);
	}
	json_object_put(object);
	return r;
}
