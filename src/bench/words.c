/* SPDX-License-Identifier: MIT */
/* Times, numbers and strange characters, as all views write them. */
#include <errno.h>
#include <langinfo.h>
#include <math.h>
#include <string.h>

#include "bench/view.h"
#include "tree/tree.h"

static const char unknown[] = "\xef\xbf\xbd"; /* U+FFFD */

static const struct {
	double us;
	const char *wide, *ascii;
} units[] = {{1e-3, "ns", "ns"}, {1, "µs", "us"}, {1e3, "ms", "ms"}, {1e6, "s", "s"}};

/* The last unit in which the value is not less than 1, once it is rounded to three digits. */
static size_t unit_of(double us)
{
	size_t i = 0;

	while (i + 1 < sizeof(units) / sizeof(units[0]) && us >= units[i + 1].us * 0.9995)
		i++;
	return i;
}

const char *view_number(double value, char buf[static VIEW_SHORT])
{
	if (!isfinite(value))
		snprintf(buf, VIEW_SHORT, "-");
	else if (fabs(value) < 0.0995 && value != 0)
		snprintf(buf, VIEW_SHORT, "%.2g", value);
	else
		snprintf(buf, VIEW_SHORT, "%.*f",
			 fabs(value) < 9.995   ? 2
			 : fabs(value) < 99.95 ? 1
					       : 0,
			 value);
	return buf;
}

const char *view_interval(double low, double high, char buf[static VIEW_LONG])
{
	char from[VIEW_SHORT], to[VIEW_SHORT];

	if (isfinite(low) && isfinite(high))
		snprintf(buf, VIEW_LONG, "%s to %s", view_number(low, from), view_number(high, to));
	else
		snprintf(buf, VIEW_LONG, "no interval");
	return buf;
}

const char *view_time(double us, bool utf8, char buf[static VIEW_SHORT])
{
	const size_t unit = unit_of(us);
	char number[VIEW_SHORT];

	view_number(us / units[unit].us, number);
	if (!isfinite(us) || us < 0)
		snprintf(buf, VIEW_SHORT, "-");
	else
		snprintf(buf, VIEW_SHORT, "%.20s %s", number,
			 utf8 ? units[unit].wide : units[unit].ascii);
	return buf;
}

const char *view_range(double us, double from, double to, char buf[static VIEW_LONG])
{
	const double unit = units[unit_of(us)].us;

	return view_interval(from / unit, to / unit, buf);
}

const char *view_tick(double us, bool utf8, char buf[static VIEW_SHORT])
{
	const size_t unit = unit_of(us);

	snprintf(buf, VIEW_SHORT, "%.3g %s", us / units[unit].us,
		 utf8 ? units[unit].wide : units[unit].ascii);
	return buf;
}

const char *view_spread(const struct bench_number *number, char buf[static VIEW_SHORT])
{
	const double distance = fmax(number->p90 - number->median, number->median - number->p10);
	const double percent = 100 * distance / number->median;

	if (!isfinite(percent) || number->n < 2)
		buf[0] = 0;
	else
		snprintf(buf, VIEW_SHORT, "%.0f%%", percent);
	return buf;
}

const char *view_x(const struct bench_result *result, uint64_t x, char buf[static VIEW_SHORT])
{
	return bench_x_text(result->request->workload->unit, x, buf, VIEW_SHORT);
}

const char *view_at(const struct bench_result *result, uint64_t x, char buf[static VIEW_SHORT])
{
	char text[VIEW_SHORT];

	view_x(result, x, text);
	snprintf(buf, VIEW_SHORT, "%s%.28s", *text ? "at " : "", text);
	return buf;
}

bool view_character(const char **text, char buf[static VIEW_CHARACTER])
{
	const char *at = *text;
	const unsigned char lead = (unsigned char)*at;
	const size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	size_t n = 1;

	if (!*at)
		return false;
	while (n < wanted && (at[n] & 0xc0) == 0x80)
		n++;
	tree_utf8(at, n, buf, VIEW_CHARACTER);
	/* Of bytes that are none, one at a time; U+FFFE and U+FFFF are no characters either. */
	if (strncmp(buf, at, n) != 0) {
		memcpy(buf, unknown, sizeof(unknown));
		n = 1;
	} else if (n == 3 && !memcmp(at, "\xef\xbf", 2) && (unsigned char)at[2] >= 0xbe) {
		memcpy(buf, unknown, sizeof(unknown));
	}
	*text = at + n;
	return true;
}

void view_xml(FILE *out, const char *text, size_t most)
{
	const bool cut = most && view_columns(text) > most;
	char c[VIEW_CHARACTER];

	for (size_t n = 0; (!cut || n + 1 < most) && view_character(&text, c); n++)
		switch (c[0]) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default: /* XML has no way to write a control character */
			fputs((unsigned char)c[0] < ' ' && c[0] != '\n' && c[0] != '\t' ? unknown
											: c,
			      out);
		}
	if (cut)
		fputs("…", out);
}

size_t view_columns(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

const char *view_safe(const char *text, char *buf, size_t size)
{
	tree_harmless(text, strlen(text), buf, size);
	return buf;
}

bool view_has_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

int view_end(FILE *out)
{
	if (!ferror(out))
		return 0;
	return errno ? -errno : -EIO;
}
