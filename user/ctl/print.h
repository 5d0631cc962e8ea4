/* SPDX-License-Identifier: GPL-2.0 */
/*
 * print: results, as columns or as JSON, from the same calls
 *
 * A table is out_table(), then for each row out_row() and a call for each
 * value there is, then out_table_end(). Text is aligned by the widest of the
 * first rows, which are kept until then; the rest streams.
 */
#ifndef KMQTT_CTL_PRINT_H
#define KMQTT_CTL_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json.h"

/* columns of a table; rows kept to find their widths */
#define OUT_COLUMNS	16
#define OUT_KEPT	128

/**
 * enum out_column_flags - where a column is shown
 * @OUT_RIGHT: aligned to the right
 * @OUT_STATISTICS: in text only if the user asks for statistics
 * @OUT_JSON: not in text
 * @OUT_TEXT: not in JSON
 */
enum out_column_flags {
	OUT_RIGHT = 1,
	OUT_STATISTICS = 2,
	OUT_JSON = 4,
	OUT_TEXT = 8,
};

/**
 * struct out_column - a column
 * @key: its name in JSON
 * @head: its heading in text
 * @flags: enum out_column_flags
 */
struct out_column {
	const char *key;
	const char *head;
	unsigned int flags;
};

/**
 * struct out - the program's output
 * @writer: JSON
 * @json: write JSON, not text
 * @statistics: the user wants counters, too
 * @columns: of the table being written
 * @ncolumns: how many
 * @rows: rows started
 * @kept: rows in @cells that were not printed yet
 * @in_row: a row was started and not ended
 * @error: errno of the first write that failed, or 0
 * @width: of each column, once @fixed
 * @fixed: the widths are known
 * @cells: printable texts, or NULL
 */
struct out {
	struct json writer;
	bool json;
	bool statistics;
	const struct out_column *columns;
	unsigned int ncolumns;
	unsigned long rows;
	unsigned int kept;
	bool in_row;
	bool fixed;
	int error;
	size_t width[OUT_COLUMNS];
	char *cells[OUT_KEPT][OUT_COLUMNS];
};

/** out_table() - start a table of @n columns, at most OUT_COLUMNS */
void out_table(struct out *out, const struct out_column *columns,
	       unsigned int n);

/** out_row() - start a row, ending the one before */
void out_row(struct out *out);

/** out_table_end() - end the last row and the table */
void out_table_end(struct out *out);

/** out_str() - a string from the network, escaped, in column @col */
void out_str(struct out *out, unsigned int col, const char *s);

/** out_bytes() - the same of @len bytes, cut to @max columns in text */
void out_bytes(struct out *out, unsigned int col, const char *s, size_t len,
	       size_t max);

/** out_words() - a sentence of the module's, escaped, in column @col */
void out_words(struct out *out, unsigned int col, const char *words);

/** out_word() - a text of our own, in column @col */
void out_word(struct out *out, unsigned int col, const char *word);

/** out_u64() - a number */
void out_u64(struct out *out, unsigned int col, uint64_t v);

/** out_u64_as() - a number, which in text is shown as @text */
void out_u64_as(struct out *out, unsigned int col, uint64_t v,
		const char *text);

/** out_bool() - yes or no */
void out_bool(struct out *out, unsigned int col, bool v);

/**
 * out_say() - tell what was done, in text only
 *
 * For commands whose result is no table; their JSON is written by @writer.
 */
void out_say(struct out *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * out_check() - has the output failed?
 *
 * To be called soon after writing, while errno says why.
 */
bool out_check(struct out *out);

/**
 * out_close() - make sure that all was written
 * @out: output
 * @status: of the program so far
 *
 * Return: @status, or another if the output failed, after saying so. That
 * the reader has closed its end of a pipe is no failure.
 */
int out_close(struct out *out, int status);

#endif /* KMQTT_CTL_PRINT_H */
