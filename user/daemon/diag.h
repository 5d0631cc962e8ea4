/* SPDX-License-Identifier: GPL-2.0 */
/*
 * diag: what is wrong in a file, by file and line
 *
 * Parsers report here and go on, so that one run shows all mistakes; whoever
 * called them looks at @errors and uses nothing of the result if there are
 * any.
 */
#ifndef KMQTTD_DIAG_H
#define KMQTTD_DIAG_H

/**
 * struct diag - sink of reports
 * @report: gets each line, without a newline
 * @arg: for @report
 * @errors: counted so far
 * @warnings: counted so far
 */
struct diag {
	void (*report)(void *arg, int is_error, const char *text);
	void *arg;
	unsigned int errors;
};

/**
 * diag_error() - report a mistake
 * @d: sink
 * @file: its name; NULL if no file is to blame
 * @line: its line; 0 if the file as a whole is meant
 * @fmt: one sentence: what is wrong and what to do
 *
 * After DIAG_MAX_ERRORS of them only the count goes on; see diag_end().
 *
 * Return: -1, for the caller to return.
 */
int diag_error(struct diag *d, const char *file, int line,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/**
 * diag_end() - say how many mistakes were not reported
 * @d: sink; nothing is said if all of them were
 */
void diag_end(struct diag *d);

/**
 * diag_warning() - report something odd that is let pass; see diag_error()
 *
 * However many there are: each may be the one that says what is left open.
 */
void diag_warning(struct diag *d, const char *file, int line,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#define DIAG_MAX_ERRORS	20

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/**
 * diag_quote() - text of a file made safe for a message
 * @text: any bytes
 *
 * Control bytes become "\xNN", and what is long is cut.
 *
 * Return: a buffer that is used again after eight further calls.
 */
const char *diag_quote(const char *text);

#endif /* KMQTTD_DIAG_H */
