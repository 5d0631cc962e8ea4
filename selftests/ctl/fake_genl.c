// SPDX-License-Identifier: GPL-2.0
/*
 * A module that is played from a file, in place of user/lib
 *
 * For what can be tested without a kernel: which request a command line makes
 * and how an answer is shown. Each line of the file KMQTT_FAKE is
 *	object CMD HEX		an answer to CMD: its attributes
 *	refuse CMD ERRNO TEXT	CMD fails
 *	open ERRNO TEXT		the module is not there
 *	event HEX		an event; "event lost" stands for a full buffer
 * and each request is appended to the file KMQTT_FAKE_LOG as "CMD HEX".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <netlink/genl/genl.h>

#include "genl.h"

#define LINE_MAX_BYTES	(1024 * 1024)

struct kmnl {
	FILE *played;
	kmnl_fn handler;
	void *handler_arg;
	int events[2];		/* a byte for each event left */
	char line[LINE_MAX_BYTES];
	unsigned char data[LINE_MAX_BYTES / 2];
	char error[512];
};

static size_t unhex(struct kmnl *nl, const char *hex)
{
	unsigned int byte;
	size_t n = 0;

	while (sscanf(hex + 2 * n, "%2x", &byte) == 1)
		nl->data[n++] = byte;
	return n;
}

static int deliver(struct kmnl *nl, int cmd, const char *hex, kmnl_fn fn,
		   void *arg)
{
	struct nlattr *attrs[KMQTT_A_MAX_ATTR + 1];
	size_t len = unhex(nl, hex);

	if (nla_parse(attrs, KMQTT_A_MAX_ATTR, (struct nlattr *)nl->data, len,
		      NULL) < 0)
		abort();
	return fn ? fn(cmd, attrs, arg) : 0;
}

struct kmnl *kmnl_open(char *err, size_t size)
{
	struct kmnl *nl = calloc(1, sizeof(*nl));
	int number, at;

	if (!nl || pipe(nl->events))
		abort();
	nl->played = fopen(getenv("KMQTT_FAKE"), "r");
	if (!nl->played)
		abort();
	while (fgets(nl->line, sizeof(nl->line), nl->played)) {
		nl->line[strcspn(nl->line, "\n")] = '\0';
		if (sscanf(nl->line, "open %d %n", &number, &at) == 1) {
			snprintf(err, size, "%s", nl->line + at);
			kmnl_close(nl);
			errno = number;
			return NULL;
		}
		if (!strncmp(nl->line, "event ", 6) &&
		    write(nl->events[1], "", 1) != 1)
			abort();
	}
	rewind(nl->played);
	return nl;
}

void kmnl_close(struct kmnl *nl)
{
	fclose(nl->played);
	close(nl->events[0]);
	close(nl->events[1]);
	free(nl);
}

const char *kmnl_error(const struct kmnl *nl)
{
	return nl->error;
}

struct nl_msg *kmnl_msg(struct kmnl *nl, int cmd)
{
	struct nl_msg *msg = nlmsg_alloc_size(KMNL_MSG_SIZE);

	if (!msg || !genlmsg_put(msg, 0, 0, 0x10, 0, 0, cmd, 1))
		abort();
	return msg;
}

static void log_request(struct nl_msg *msg)
{
	struct genlmsghdr *gh = nlmsg_data(nlmsg_hdr(msg));
	const unsigned char *p = (const unsigned char *)genlmsg_attrdata(gh, 0);
	int i, len = genlmsg_attrlen(gh, 0);
	FILE *log = fopen(getenv("KMQTT_FAKE_LOG"), "a");

	if (!log)
		abort();
	fprintf(log, "%d ", gh->cmd);
	for (i = 0; i < len; i++)
		fprintf(log, "%02x", p[i]);
	putc('\n', log);
	fclose(log);
}

int kmnl_request(struct kmnl *nl, struct nl_msg *msg, kmnl_fn fn, void *arg)
{
	int cmd = genlmsg_hdr(nlmsg_hdr(msg))->cmd;
	int of, number, at, ret = 0;

	log_request(msg);
	nlmsg_free(msg);
	rewind(nl->played);
	while (!ret && fgets(nl->line, sizeof(nl->line), nl->played)) {
		nl->line[strcspn(nl->line, "\n")] = '\0';
		if (sscanf(nl->line, "object %d %n", &of, &at) == 1 &&
		    of == cmd) {
			ret = deliver(nl, cmd, nl->line + at, fn, arg);
		} else if (sscanf(nl->line, "refuse %d %d %n", &of, &number,
				  &at) == 2 && of == cmd) {
			snprintf(nl->error, sizeof(nl->error), "%.500s",
				 nl->line + at);
			ret = -number;
		}
	}
	return ret;
}

int kmnl_dump(struct kmnl *nl, struct nl_msg *msg, kmnl_fn fn, void *arg)
{
	return kmnl_request(nl, msg, fn, arg);
}

int kmnl_dump_changed(const struct kmnl *nl)
{
	return getenv("KMQTT_FAKE_CHANGED") ? 1 : 0;
}

void kmnl_set_handler(struct kmnl *nl, kmnl_fn fn, void *arg)
{
	nl->handler = fn;
	nl->handler_arg = arg;
}

int kmnl_subscribe(struct kmnl *nl)
{
	return 0;
}

int kmnl_fd(const struct kmnl *nl)
{
	return nl->events[0];
}

void kmnl_set_rcvbuf(struct kmnl *nl, int bytes)
{
}

int kmnl_read(struct kmnl *nl)
{
	char byte;

	if (read(nl->events[0], &byte, 1) != 1)
		return 0;
	while (fgets(nl->line, sizeof(nl->line), nl->played)) {
		if (strncmp(nl->line, "event ", 6))
			continue;
		if (!strncmp(nl->line + 6, "lost", 4))
			return -ENOBUFS;
		return deliver(nl, KMQTT_CMD_EVENT, nl->line + 6, nl->handler,
			       nl->handler_arg);
	}
	return 0;
}

const char *kmnl_attr_name(int type)
{
	return type == KMQTT_A_CLIENT_ID ? "CLIENT_ID" : "?";
}
