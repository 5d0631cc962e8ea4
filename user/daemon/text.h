/* SPDX-License-Identifier: GPL-2.0 */
/*
 * text: files that are read line by line
 */
#ifndef KMQTTD_TEXT_H
#define KMQTTD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "diag.h"

/* a rule file of a million lines fits; a device or a disk image does not */
#define TEXT_MAX	(64u * 1024 * 1024)

/**
 * struct text - a file in memory
 * @path: its name, borrowed
 * @line: number of the line that text_line() gave last
 * @data: contents, owned
 * @next: what text_line() looks at next
 * @end: end of the contents
 * @diag: where its faults go
 */
struct text {
	const char *path;
	int line;
	char *data;
	char *next;
	char *end;
	struct diag *diag;
};

/**
 * text_open() - read a file
 * @t: to fill; end it with text_close()
 * @path: the file; must outlive @t
 * @diag: gets the reason if it cannot be read
 * @from_file: with @from_line: the line that names @path, to be blamed; or NULL
 * @from_line: see @from_file
 *
 * Return: 0, or -1 after a report.
 */
int text_open(struct text *t, const char *path, struct diag *diag,
	      const char *from_file, int from_line);

/** text_close() - release what text_open() took */
void text_close(struct text *t);

/**
 * text_line() - next line that says something
 * @t: file
 *
 * Empty lines and those that start with '#' are left out, blanks at both
 * ends are cut off. A line with a NUL byte or with bytes that are not UTF-8
 * is reported and left out.
 *
 * Return: the line, which may be written to until text_close(); NULL at the
 * end.
 */
char *text_line(struct text *t);

/**
 * text_word() - split the first word off
 * @rest: on return what follows the word and its blanks, "" if nothing
 *
 * Return: the word, "" if there is none.
 */
char *text_word(char **rest);

/** text_is_utf8() - are these @len bytes what MQTT takes as a string? */
bool text_is_utf8(const char *s, size_t len);

#endif /* KMQTTD_TEXT_H */
