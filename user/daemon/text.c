// SPDX-License-Identifier: GPL-2.0
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int blame(struct diag *diag, const char *path, const char *from_file,
		 int from_line, const char *why)
{
	if (from_file)
		return diag_error(diag, from_file, from_line,
				  "cannot read %s: %s", diag_quote(path), why);
	return diag_error(diag, NULL, 0, "cannot read %s: %s",
			  diag_quote(path), why);
}

static const char *read_all(struct text *t, int fd, size_t size)
{
	size_t got = 0;

	t->data = malloc(size + 1);
	if (!t->data)
		return "out of memory";
	while (got < size) {
		ssize_t n = read(fd, t->data + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return strerror(errno);
		if (n == 0)
			break;
		got += n;
	}
	t->next = t->data;
	t->end = t->data + got;
	*t->end = 0;
	if (got >= 3 && !memcmp(t->data, "\xef\xbb\xbf", 3))
		t->next += 3;	/* some editors write a byte order mark */
	return NULL;
}

int text_open(struct text *t, const char *path, struct diag *diag,
	      const char *from_file, int from_line)
{
	const char *why = NULL;
	struct stat st;
	int fd;

	memset(t, 0, sizeof(*t));
	t->path = path;
	t->diag = diag;
	/* O_NONBLOCK: a fifo must not hold us up */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return blame(diag, path, from_file, from_line,
			     strerror(errno));
	if (fstat(fd, &st))
		why = strerror(errno);
	else if (S_ISDIR(st.st_mode))
		why = "it is a directory";
	else if (!S_ISREG(st.st_mode))
		why = "it is not a regular file";
	else if (st.st_size > TEXT_MAX)
		why = "it is larger than 64 MiB";
	else
		why = read_all(t, fd, st.st_size);
	close(fd);
	if (!why)
		return 0;
	text_close(t);
	return blame(diag, path, from_file, from_line, why);
}

void text_close(struct text *t)
{
	/* a password file may have been here */
	if (t->data)
		explicit_bzero(t->data, t->end ? t->end - t->data : 0);
	free(t->data);
	t->data = NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

char *text_line(struct text *t)
{
	while (t->next < t->end) {
		char *s = t->next;
		char *nl = memchr(s, '\n', t->end - s);
		char *e = nl ? nl : t->end;

		t->next = nl ? nl + 1 : t->end;
		t->line++;
		while (s < e && is_blank(*s))
			s++;
		while (e > s && is_blank(e[-1]))
			e--;
		if (s == e || *s == '#')
			continue;
		*e = 0;
		if (memchr(s, 0, e - s)) {
			diag_error(t->diag, t->path, t->line,
				   "the line holds a NUL byte: this is not a text file");
			continue;
		}
		if (!text_is_utf8(s, e - s)) {
			diag_error(t->diag, t->path, t->line,
				   "the line is not UTF-8 text, or holds a control character: write the file as UTF-8");
			continue;
		}
		return s;
	}
	return NULL;
}

char *text_word(char **rest)
{
	char *s = *rest, *e;

	while (is_blank(*s))
		s++;
	e = s;
	while (*e && !is_blank(*e))
		e++;
	*rest = e;
	if (*e) {
		*e++ = 0;
		while (is_blank(*e))
			e++;
		*rest = e;
	}
	return s;
}

/* length of the character at @s, 0 if there is none that MQTT takes */
static int utf8_char(const unsigned char *s, size_t left)
{
	static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int c = s[0];
	int len = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (len == 1)
		return (c >= 0x20 && c != 0x7f) || c == '\t' ? 1 : 0;
	if (c < 0xc2 || c > 0xf4 || (size_t)len > left)
		return 0;
	c &= 0xff >> (len + 1);
	for (int i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return len;
}

bool text_is_utf8(const char *s, size_t len)
{
	size_t at = 0;

	while (at < len) {
		int n = utf8_char((const unsigned char *)s + at, len - at);

		if (!n)
			return false;
		at += n;
	}
	return true;
}
