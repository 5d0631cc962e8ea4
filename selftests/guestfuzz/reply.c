// SPDX-License-Identifier: GPL-2.0
#include "reply.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/kmqtt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "run.h"

/* Lengths of attributes; 0: a string, BINARY, NESTED. */
enum { STRING = 0, BINARY = 100, NESTED };

static const uint8_t sizes[KMQTT_A_MAX_ATTR + 1] = {
	[KMQTT_A_PAD] = BINARY,
	[KMQTT_A_LISTENER_ID] = 4, [KMQTT_A_ADDRESS] = BINARY,
	[KMQTT_A_PORT] = 2, [KMQTT_A_AUTH_MODE] = 1,
	[KMQTT_A_MAX_CONNECTIONS] = 4, [KMQTT_A_CONNECTIONS] = 4,
	[KMQTT_A_PASSWORD] = BINARY, [KMQTT_A_AUTH_DATA] = BINARY,
	[KMQTT_A_VERSION] = 1, [KMQTT_A_KEEP_ALIVE] = 2, [KMQTT_A_AGE] = 8,
	[KMQTT_A_PACKETS_IN] = 8, [KMQTT_A_PACKETS_OUT] = 8,
	[KMQTT_A_BYTES_IN] = 8, [KMQTT_A_BYTES_OUT] = 8,
	[KMQTT_A_DROPPED] = 8, [KMQTT_A_REASON] = 1, [KMQTT_A_CONNECTED] = 1,
	[KMQTT_A_EXPIRY] = 4, [KMQTT_A_SUBSCRIPTIONS] = 4,
	[KMQTT_A_INFLIGHT] = 4, [KMQTT_A_QUEUED] = 4,
	[KMQTT_A_QUEUED_BYTES] = 8, [KMQTT_A_AWAITING_REL] = 4,
	[KMQTT_A_QOS] = 1, [KMQTT_A_OPTIONS] = 1, [KMQTT_A_SUBSCRIPTION_ID] = 4,
	[KMQTT_A_SIZE] = 4, [KMQTT_A_PAYLOAD] = BINARY, [KMQTT_A_COUNT] = 4,
	[KMQTT_A_ITEM] = NESTED, [KMQTT_A_VALUE] = 8, [KMQTT_A_DEFAULT] = 8,
	[KMQTT_A_MIN] = 8, [KMQTT_A_MAX] = 8, [KMQTT_A_ACL_FLAGS] = 4,
	[KMQTT_A_ACCESS] = 1, [KMQTT_A_RULE_FLAGS] = 4,
	[KMQTT_A_REQUEST_ID] = 8, [KMQTT_A_STAGE] = 1, [KMQTT_A_EVENT_TYPE] = 1,
};

/* What a request may be answered with. */
static const int errors[] = {
	0, EINVAL, ERANGE, ENOENT, EEXIST, EADDRINUSE, EADDRNOTAVAIL,
	EOPNOTSUPP, EPERM, EBUSY, EMSGSIZE, E2BIG, ENOSPC,
};

static bool error_allowed(int error)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (error == -errors[i])
			return true;
	return false;
}

static const char *wrong_attrs(const uint8_t *at, size_t len)
{
	struct nlattr attr;
	const char *wrong;
	size_t size;
	int type;

	while (len) {
		if (len < sizeof(attr))
			return "rest behind the attributes of an answer";
		memcpy(&attr, at, sizeof(attr));
		if (attr.nla_len < sizeof(attr) || attr.nla_len > len)
			return "an attribute of an answer does not fit it";
		type = attr.nla_type & NLA_TYPE_MASK;
		size = attr.nla_len - NLA_HDRLEN;
		if (!type || type > KMQTT_A_MAX_ATTR)
			return "an unknown attribute in an answer";
		at += NLA_HDRLEN;
		if (sizes[type] == NESTED) {
			wrong = wrong_attrs(at, size);
			if (wrong)
				return wrong;
		} else if (sizes[type] == STRING) {
			if (!size || memchr(at, '\0', size) != at + size - 1)
				return "a string of an answer has no end";
		} else if (sizes[type] != BINARY && size != sizes[type]) {
			return "an attribute of an answer has no such length";
		}
		at += NLA_ALIGN(attr.nla_len) - NLA_HDRLEN;
		len -= (size_t)NLA_ALIGN(attr.nla_len) < len ?
			NLA_ALIGN(attr.nla_len) : len;
	}
	return NULL;
}

static const char *wrong_error(const struct nlmsghdr *head, int skip)
{
	static char text[64];
	int error;

	if (head->nlmsg_len < (size_t)NLMSG_LENGTH(skip))
		return "a short error";
	memcpy(&error, NLMSG_DATA(head), sizeof(error));
	if (error_allowed(error))
		return NULL;
	snprintf(text, sizeof(text), "error %d", error);
	return text;
}

static const char *wrong_message(struct genl *nl, const struct nlmsghdr *head)
{
	const struct genlmsghdr *genl = NLMSG_DATA(head);

	if (head->nlmsg_type == NLMSG_ERROR)
		return wrong_error(head, sizeof(struct nlmsgerr));
	if (head->nlmsg_type == NLMSG_DONE)
		return wrong_error(head, sizeof(int));
	/* Of the controller's answers, which some changes ask for, nothing. */
	if (head->nlmsg_type != nl->family)
		return head->nlmsg_type == GENL_ID_CTRL ? NULL :
							  "no such answer";
	if (head->nlmsg_len < NLMSG_LENGTH(GENL_HDRLEN))
		return "a short answer";
	if (!genl->cmd || genl->cmd > KMQTT_CMD_MAX)
		return "an answer with an unknown command";
	return wrong_attrs((const uint8_t *)(genl + 1),
			   head->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN));
}

/** struct hearing - what has been read so far */
struct hearing {
	const char *wrong;
	bool multi;
	bool synced;
};

static void hear(struct genl *nl, struct hearing *h, uint32_t sync)
{
	static uint8_t buf[4 * GENL_BUF];
	struct nlmsghdr *head;
	ssize_t len;

	len = recv(nl->fd, buf, sizeof(buf), 0);
	if (len < 0 && errno == ENOBUFS)
		return;
	if (len < 0)
		run_die("netlink answer");
	for (head = (void *)buf; NLMSG_OK(head, len);
	     head = NLMSG_NEXT(head, len)) {
		if (!h->wrong)
			h->wrong = wrong_message(nl, head);
		if (head->nlmsg_type == NLMSG_DONE)
			h->multi = false;
		else if (head->nlmsg_flags & NLM_F_MULTI)
			h->multi = true;
		if (head->nlmsg_type == NLMSG_ERROR && head->nlmsg_seq == sync)
			h->synced = true;
	}
	if (len && !h->wrong)
		h->wrong = "rest behind an answer";
}

/* The answer to one more request, which is right, ends those to @msg. */
const char *reply_wrong(struct genl *nl, const struct genl_msg *msg)
{
	double until = run_now() + run.limit;
	static struct genl_msg sync;
	struct hearing h = {};

	/* Of a message that is cut there may be nothing left to send. */
	if (genl_send(nl, msg) < 0 && errno != ENODATA)
		return strerror(errno);
	sync.len = 0;
	genl_finish(&sync, genl_begin(nl, &sync, KMQTT_CMD_LISTENER_SET,
				      NLM_F_ACK));
	nl->seq |= 1 << 30;
	memcpy(sync.data + offsetof(struct nlmsghdr, nlmsg_seq), &nl->seq,
	       sizeof(nl->seq));
	if (genl_send(nl, &sync) < 0)
		return strerror(errno);
	while (!h.synced || h.multi) {
		if (!genl_wait(nl, 0.5) && run_now() > until)
			return h.synced ? "a dump without end" : "no answer";
		if (genl_wait(nl, 0))
			hear(nl, &h, nl->seq);
	}
	return h.wrong;
}
