// SPDX-License-Identifier: GPL-2.0
#include "print.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "escape.h"

static bool out_hidden(const struct out *out, unsigned int col)
{
	unsigned int flags = out->columns[col].flags;

	if (out->json)
		return flags & OUT_TEXT;
	return (flags & OUT_JSON) ||
	       ((flags & OUT_STATISTICS) && !out->statistics);
}

static char **out_cells(struct out *out)
{
	return out->cells[out->kept];
}

/* the last column that is shown is not padded */
static void out_line(struct out *out, const char *const *cells)
{
	unsigned int i, last = 0;
	const char *cell;
	int pad;

	for (i = 0; i < out->ncolumns; i++)
		if (!out_hidden(out, i))
			last = i;
	for (i = 0; i <= last; i++) {
		if (out_hidden(out, i))
			continue;
		cell = cells[i] ? cells[i] : "-";
		pad = (int)out->width[i] - (int)escape_width(cell);
		if (pad < 0)
			pad = 0;
		if (out->columns[i].flags & OUT_RIGHT)
			fprintf(out->writer.to, "%*s%s", pad, "", cell);
		else
			fprintf(out->writer.to, "%s%*s", cell,
				i < last ? pad : 0, "");
		fputs(i < last ? "  " : "\n", out->writer.to);
	}
}

static void out_widen(struct out *out, unsigned int col, const char *cell)
{
	size_t width = cell ? escape_width(cell) : 1;

	/* one very long name must not push all others out of the window */
	if (width > 40)
		width = 40;
	if (width > out->width[col])
		out->width[col] = width;
}

/* print the rows that were kept; the first time fixes the widths */
static void out_flush(struct out *out)
{
	const char *heads[OUT_COLUMNS];
	unsigned int i, row;

	if (!out->fixed) {
		for (i = 0; i < out->ncolumns; i++) {
			heads[i] = out->columns[i].head;
			out->width[i] = 0;
			if (out_hidden(out, i))
				continue;
			out_widen(out, i, heads[i]);
			for (row = 0; row < out->kept; row++)
				out_widen(out, i, out->cells[row][i]);
		}
		out->fixed = true;
		out_line(out, heads);
	}
	for (row = 0; row < out->kept; row++) {
		out_line(out, (const char *const *)out->cells[row]);
		for (i = 0; i < out->ncolumns; i++)
			free(out->cells[row][i]);
		memset(out->cells[row], 0, sizeof(out->cells[row]));
	}
	out->kept = 0;
}

static void out_row_end(struct out *out)
{
	if (!out->in_row)
		return;
	out->in_row = false;
	if (out->json) {
		json_end(&out->writer, '}');
		return;
	}
	out->kept++;
	if (out->fixed || out->kept == OUT_KEPT)
		out_flush(out);
}

void out_table(struct out *out, const struct out_column *columns,
	       unsigned int n)
{
	assert(n <= OUT_COLUMNS);
	out->columns = columns;
	out->ncolumns = n;
	out->rows = 0;
	out->kept = 0;
	out->in_row = false;
	out->fixed = false;
	if (out->json)
		json_begin(&out->writer, '[');
}

void out_row(struct out *out)
{
	out_row_end(out);
	/* nobody sees the rest of the table */
	if (out_check(out))
		exit(out_close(out, CTL_OK));
	out->in_row = true;
	out->rows++;
	if (out->json)
		json_begin(&out->writer, '{');
}

void out_table_end(struct out *out)
{
	out_row_end(out);
	if (out->json)
		json_end(&out->writer, ']');
	else if (out->rows)
		out_flush(out);
}

/* true if the value is still to be written as JSON, its key being there */
static bool out_cell(struct out *out, unsigned int col)
{
	if (!out->json || out_hidden(out, col))
		return false;
	json_key(&out->writer, out->columns[col].key);
	return true;
}

static void out_text(struct out *out, unsigned int col, char *text)
{
	if (out->json || out_hidden(out, col)) {
		free(text);
		return;
	}
	free(out_cells(out)[col]);
	out_cells(out)[col] = text;
}

static char *copy(const char *s)
{
	return strcpy(ctl_alloc(strlen(s) + 1), s);
}

void out_bytes(struct out *out, unsigned int col, const char *s, size_t len,
	       size_t max)
{
	if (out_cell(out, col))
		json_string(&out->writer, s, len);
	else if (!out->json)
		out_text(out, col, escape_text(s, len, max));
}

void out_str(struct out *out, unsigned int col, const char *s)
{
	out_bytes(out, col, s, strlen(s), 0);
}

void out_words(struct out *out, unsigned int col, const char *words)
{
	if (out_cell(out, col))
		json_string(&out->writer, words, strlen(words));
	else if (!out->json)
		out_text(out, col, escape_words(words));
}

void out_word(struct out *out, unsigned int col, const char *word)
{
	if (out_cell(out, col))
		json_string(&out->writer, word, strlen(word));
	else if (!out->json)
		out_text(out, col, copy(word));
}

void out_u64_as(struct out *out, unsigned int col, uint64_t v,
		const char *text)
{
	if (out_cell(out, col))
		json_u64(&out->writer, v);
	else if (!out->json)
		out_text(out, col, copy(text));
}

void out_u64(struct out *out, unsigned int col, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	out_u64_as(out, col, v, text);
}

void out_bool(struct out *out, unsigned int col, bool v)
{
	if (out_cell(out, col))
		json_bool(&out->writer, v);
	else if (!out->json)
		out_text(out, col, copy(v ? "yes" : "no"));
}

void out_say(struct out *out, const char *fmt, ...)
{
	va_list ap;

	if (out->json)
		return;
	va_start(ap, fmt);
	vfprintf(out->writer.to, fmt, ap);
	va_end(ap);
	putc('\n', out->writer.to);
}

bool out_check(struct out *out)
{
	if (!out->error && ferror(out->writer.to))
		out->error = errno ? errno : EIO;
	return out->error;
}

int out_close(struct out *out, int status)
{
	fflush(out->writer.to);
	if (!out_check(out) || out->error == EPIPE)
		return status;
	fprintf(stderr, "kmqttctl: the output could not be written: %s\n",
		strerror(out->error));
	return status ? status : CTL_UNREACHABLE;
}
