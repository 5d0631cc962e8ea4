// SPDX-License-Identifier: GPL-2.0
/* What the commands share: arguments, requests, messages. */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"

void *ctl_alloc(size_t size)
{
	void *p = malloc(size);

	if (!p) {
		fputs("kmqttctl: out of memory\n", stderr);
		exit(CTL_UNREACHABLE);
	}
	return p;
}

static void say(const struct ctl *ctl, const char *fmt, va_list ap)
{
	/* rows that were read before it come first on a terminal */
	fflush(stdout);
	fputs("kmqttctl: ", stderr);
	if (ctl->object)
		fprintf(stderr, "%s%s%s: ", ctl->object, ctl->verb ? " " : "",
			ctl->verb ? ctl->verb : "");
	vfprintf(stderr, fmt, ap);
	putc('\n', stderr);
}

void ctl_warn(const struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(ctl, fmt, ap);
	va_end(ap);
}

void ctl_die(const struct ctl *ctl, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(ctl, fmt, ap);
	va_end(ap);
	exit(status);
}

void ctl_usage(const struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(ctl, fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try \"kmqttctl %s%shelp\".\n",
		ctl->object ? ctl->object : "", ctl->object ? " " : "");
	exit(CTL_USAGE);
}

const char *ctl_next(struct ctl *ctl, const char *what)
{
	if (!ctl->argc)
		ctl_usage(ctl, "%s is missing", what);
	ctl->argc--;
	return *ctl->argv++;
}

void ctl_end(const struct ctl *ctl)
{
	if (ctl->argc) {
		const char *arg = ctl->argv[0];

		ctl_usage(ctl, "%s is one argument too many",
			  escape_text(arg, strlen(arg), 60));
	}
}

int ctl_prefix(const char *arg, const char *const *words)
{
	size_t len = strlen(arg);
	int i, found = -1;

	for (i = 0; words[i]; i++) {
		if (!strcmp(arg, words[i]))
			return i;
		if (!len || strncmp(arg, words[i], len))
			continue;
		found = found == -1 ? i : -2;
	}
	return found;
}

int ctl_keyword(const struct ctl *ctl, const char *arg,
		const char *const *words)
{
	int i, found = ctl_prefix(arg, words);
	char list[512];
	size_t used = 0;

	if (found >= 0)
		return found;
	for (i = 0; words[i]; i++) {
		if (found == -2 && strncmp(arg, words[i], strlen(arg)))
			continue;
		used += snprintf(list + used, sizeof(list) - used, "%s%s",
				 used ? ", " : "", words[i]);
		if (used >= sizeof(list))
			break;
	}
	arg = escape_text(arg, strlen(arg), 60);
	if (found == -2)
		ctl_usage(ctl, "%s can be each of: %s", arg, list);
	ctl_usage(ctl, "%s is unknown, it should be one of: %s", arg, list);
}

void ctl_open(struct ctl *ctl)
{
	char err[512] = "";
	int error;

	if (ctl->nl)
		return;
	ctl->nl = kmnl_open(err, sizeof(err));
	if (ctl->nl)
		return;
	error = errno;
	ctl_die(ctl, CTL_UNREACHABLE, "%s", *err ? err : strerror(error));
}

struct nl_msg *ctl_msg(struct ctl *ctl, int cmd)
{
	struct nl_msg *msg;

	ctl_open(ctl);
	msg = kmnl_msg(ctl->nl, cmd);
	if (!msg)
		ctl_die(ctl, CTL_UNREACHABLE, "out of memory");
	return msg;
}

void ctl_put(const struct ctl *ctl, struct nl_msg *msg, int type,
	     const void *data, int len)
{
	if (nla_put(msg, type, len, data) < 0)
		ctl_die(ctl, CTL_USAGE, "the request is too long");
}

void ctl_put_string(const struct ctl *ctl, struct nl_msg *msg, int type,
		    const char *s)
{
	size_t len = strlen(s) + 1;

	if (len > KMNL_ATTR_MAX)
		ctl_usage(ctl, "%s of %zu bytes is too long, %d is the most",
			  kmnl_attr_name(type), len - 1,
			  (int)KMNL_ATTR_MAX - 1);
	ctl_put(ctl, msg, type, s, len);
}

int ctl_status_of(int err)
{
	switch (-err) {
	case 0:
		return CTL_OK;
	case EPERM:
	case EACCES:
	case ETIMEDOUT:
	case ENOMEM:
	case ENOBUFS:
	case ECONNREFUSED:
		return CTL_UNREACHABLE;
	default:
		return CTL_REFUSED;
	}
}

int ctl_answered(struct ctl *ctl, int err)
{
	if (err < 0)
		ctl_warn(ctl, "%s", kmnl_error(ctl->nl));
	return ctl_status_of(err);
}

int ctl_request(struct ctl *ctl, struct nl_msg *msg, kmnl_fn fn, void *arg)
{
	return ctl_answered(ctl, kmnl_request(ctl->nl, msg, fn, arg));
}

int ctl_dump(struct ctl *ctl, struct nl_msg *msg, kmnl_fn fn, void *arg)
{
	int status = ctl_answered(ctl, kmnl_dump(ctl->nl, msg, fn, arg));

	if (status == CTL_OK && kmnl_dump_changed(ctl->nl))
		ctl_warn(ctl, "note: it changed while it was read");
	return status;
}

static void ctl_match_args(struct ctl *ctl, struct ctl_match *match)
{
	const char *arg;

	match->ctl = ctl;
	while (ctl->argc) {
		arg = ctl_next(ctl, "argument");
		if (!strcmp(arg, "id"))
			match->id = ctl_next(ctl, "the client identifier");
		else if (!strcmp(arg, "like"))
			match->like = ctl_next(ctl, "the pattern");
		else if (!match->id)
			match->id = arg;
		else
			ctl_usage(ctl, "%s is one argument too many",
				  escape_text(arg, strlen(arg), 60));
	}
}

bool ctl_match_id(struct ctl_match *match, const char *id)
{
	if (match->id && strcmp(match->id, id))
		return false;
	if (match->like && fnmatch(match->like, id, 0))
		return false;
	match->found++;
	return true;
}

int ctl_match_show(struct ctl *ctl, int cmd, const struct out_column *table,
		   unsigned int columns, kmnl_fn one, const char *none)
{
	struct ctl_match match = { .found = 0 };
	struct nl_msg *msg;
	char *shown;
	int status;

	ctl_match_args(ctl, &match);
	msg = ctl_msg(ctl, cmd);
	if (match.id && !none)
		ctl_put_string(ctl, msg, KMQTT_A_CLIENT_ID, match.id);
	out_table(&ctl->out, table, columns);
	status = ctl_dump(ctl, msg, one, &match);
	out_table_end(&ctl->out);
	if (status != CTL_OK || !none || !match.id || match.found)
		return status;
	shown = escape_text(match.id, strlen(match.id), 80);
	ctl_warn(ctl, "no %s as %s", none, shown);
	free(shown);
	return CTL_REFUSED;
}

void ctl_netns(const struct ctl *ctl, const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s%s",
		 strchr(name, '/') ? "" : "/run/netns/", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		ctl_die(ctl, errno == ENOENT ? CTL_USAGE : CTL_UNREACHABLE,
			"network namespace %s: %s; \"ip netns\" lists them",
			path, strerror(errno));
	if (setns(fd, CLONE_NEWNET) < 0)
		ctl_die(ctl, CTL_UNREACHABLE,
			"cannot enter network namespace %s: %s", path,
			strerror(errno));
	close(fd);
}
