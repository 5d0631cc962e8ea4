// SPDX-License-Identifier: GPL-2.0
/*
 * Only the main thread logs, so nothing here is locked.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_PER_SECOND	20

static const struct log_config start_config = {
	.dests = LOG_DEST_STDERR,
	.types = LOG_TYPE_DEFAULT,
};

static const struct log_config *config = &start_config;
static bool all_types;
static int file_fd = -1;
static int next_fd = -1;	/* of log_prepare() */

int log_prepare(const struct log_config *new, char *err, unsigned int size)
{
	log_abandon();
	if (!(new->dests & LOG_DEST_FILE))
		return 0;
	next_fd = open(new->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		       0640);
	if (next_fd >= 0)
		return 0;
	snprintf(err, size, "cannot open log file %s: %s", new->file,
		 strerror(errno));
	return -1;
}

void log_abandon(void)
{
	if (next_fd >= 0)
		close(next_fd);
	next_fd = -1;
}

void log_switch(const struct log_config *new, bool verbose)
{
	if (file_fd >= 0)
		close(file_fd);
	file_fd = next_fd;
	next_fd = -1;
	if (config->dests & LOG_DEST_SYSLOG)
		closelog();
	if (new->dests & LOG_DEST_SYSLOG)
		openlog("kmqttd", LOG_PID | LOG_CONS,
			new->facility < 0 ? LOG_DAEMON :
			LOG_LOCAL0 + (new->facility << 3));
	config = new;
	all_types = verbose;
}

bool log_wants(enum log_type type)
{
	return config->dests && (all_types || (config->types & type));
}

static int syslog_priority(enum log_type type)
{
	switch (type) {
	case LOG_TYPE_ERROR:
		return LOG_ERR;
	case LOG_TYPE_WARNING:
		return LOG_WARNING;
	case LOG_TYPE_NOTICE:
		return LOG_NOTICE;
	case LOG_TYPE_INFO:
		return LOG_INFO;
	default:
		return LOG_DEBUG;
	}
}

static size_t put_time(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;
	size_t n = 0;

	if (!config->timestamp)
		return 0;
	if (config->format && localtime_r(&now, &tm))
		n = strftime(buf, size, config->format, &tm);
	if (!n)
		n = snprintf(buf, size, "%lld", (long long)now);
	buf[n++] = ':';
	buf[n++] = ' ';
	return n;
}

static void put(int fd, const char *line, size_t len)
{
	/* a full disk or a closed pipe must not stop the broker */
	while (len > 0) {
		ssize_t n = write(fd, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		line += n;
		len -= n;
	}
}

/* what a terminal would obey: control characters, in UTF-8 those of 8 bits */
static void make_safe(char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];
		unsigned char next = i + 1 < len ? s[i + 1] : 0;

		if (c < 0x20 || c == 0x7f)
			s[i] = '?';
		else if (c == 0xc2 && next >= 0x80 && next < 0xa0)
			memcpy(s + i, "??", 2);
	}
}

static void write_line(enum log_type type, const char *fmt, va_list ap)
{
	char line[1280];
	size_t start = put_time(line, 120), n = start;
	int len;

	len = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	if (len < 0)
		return;
	n += len < (int)(sizeof(line) - n - 1) ? len :
		(int)(sizeof(line) - n - 2);
	make_safe(line + start, n - start);
	line[n] = 0;
	if (config->dests & LOG_DEST_SYSLOG)
		syslog(syslog_priority(type), "%s", line + start);
	line[n++] = '\n';
	if (config->dests & LOG_DEST_STDERR)
		put(STDERR_FILENO, line, n);
	if (config->dests & LOG_DEST_STDOUT)
		put(STDOUT_FILENO, line, n);
	if (config->dests & LOG_DEST_FILE)
		put(file_fd, line, n);
}

void log_line(enum log_type type, const char *fmt, ...)
{
	va_list ap;

	if (!log_wants(type))
		return;
	va_start(ap, fmt);
	write_line(type, fmt, ap);
	va_end(ap);
}

void log_limited(enum log_type type, const char *fmt, ...)
{
	static time_t second;
	static unsigned int written, left_out;
	struct timespec now;
	va_list ap;

	if (!log_wants(type))
		return;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec != second) {
		second = now.tv_sec;
		written = 0;
		if (left_out)
			log_line(type, "%u more lines of this kind were left out",
				 left_out);
		left_out = 0;
	}
	if (written >= LIMIT_PER_SECOND) {
		left_out++;
		return;
	}
	written++;
	va_start(ap, fmt);
	write_line(type, fmt, ap);
	va_end(ap);
}
