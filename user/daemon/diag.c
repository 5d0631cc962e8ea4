// SPDX-License-Identifier: GPL-2.0
#include "diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void report(struct diag *d, int is_error, const char *file, int line,
		   const char *fmt, va_list ap)
{
	char text[1024];
	int n = 0;

	if (file && line)
		n = snprintf(text, sizeof(text), "%s:%d: ", file, line);
	else if (file)
		n = snprintf(text, sizeof(text), "%s: ", file);
	if (n < 0 || n >= (int)sizeof(text))
		n = 0;
	vsnprintf(text + n, sizeof(text) - n, fmt, ap);
	d->report(d->arg, is_error, text);
}

int diag_error(struct diag *d, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	if (d->errors++ >= DIAG_MAX_ERRORS)
		return -1;
	va_start(ap, fmt);
	report(d, 1, file, line, fmt, ap);
	va_end(ap);
	return -1;
}

void diag_end(struct diag *d)
{
	char text[64];

	if (d->errors <= DIAG_MAX_ERRORS)
		return;
	snprintf(text, sizeof(text), "and %u more mistakes",
		 d->errors - DIAG_MAX_ERRORS);
	d->report(d->arg, 1, text);
}

void diag_warning(struct diag *d, const char *file, int line,
		  const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(d, 0, file, line, fmt, ap);
	va_end(ap);
}

const char *diag_quote(const char *text)
{
	static __thread char ring[8][160];
	static __thread unsigned int turn;
	char *buf = ring[turn++ % 8];
	size_t size = sizeof(ring[0]), n = 0;

	for (; *text; text++) {
		unsigned char c = *text;

		/* room for an escape, the dots and the end */
		if (n + 8 >= size) {
			strcpy(buf + n, "...");
			return buf;
		}
		if (c < 0x20 || c == 0x7f)
			n += snprintf(buf + n, size - n, "\\x%02x", c);
		else
			buf[n++] = c;
	}
	buf[n] = 0;
	return buf;
}
