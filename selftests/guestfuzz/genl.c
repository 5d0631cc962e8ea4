// SPDX-License-Identifier: GPL-2.0
#include "genl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/kmqtt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "run.h"

static void resolved(const uint8_t *attrs, size_t len, void *arg)
{
	const uint8_t *groups, *group, *id;
	struct genl *nl = arg;
	size_t size;

	id = genl_attr(attrs, len, CTRL_ATTR_FAMILY_ID, &size);
	if (id)
		memcpy(&nl->family, id, sizeof(nl->family));
	groups = genl_attr(attrs, len, CTRL_ATTR_MCAST_GROUPS, &size);
	group = groups ? genl_attr(groups, size, 1, &size) : NULL;
	id = group ? genl_attr(group, size, CTRL_ATTR_MCAST_GRP_ID, &size) :
		     NULL;
	if (id)
		memcpy(&nl->events, id, sizeof(nl->events));
}

void genl_open(struct genl *nl)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	static struct genl_msg msg;
	int on = 1;
	size_t at;

	memset(nl, 0, sizeof(*nl));
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (nl->fd < 0 || bind(nl->fd, (void *)&addr, sizeof(addr)))
		run_die("netlink");
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	nl->family = GENL_ID_CTRL;
	msg.len = 0;
	at = genl_begin(nl, &msg, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	genl_put_string(&msg, CTRL_ATTR_FAMILY_NAME, KMQTT_GENL_NAME);
	genl_finish(&msg, at);
	if (genl_ask(nl, &msg, resolved, nl)) {
		close(nl->fd);
		nl->fd = -1;
	}
}

void genl_close(struct genl *nl)
{
	close(nl->fd);
	nl->fd = -1;
}

size_t genl_begin(struct genl *nl, struct genl_msg *msg, uint8_t cmd,
		  uint16_t flags)
{
	struct nlmsghdr head = {
		.nlmsg_type = nl->family,
		.nlmsg_flags = NLM_F_REQUEST | flags,
		.nlmsg_seq = ++nl->seq,
	};
	struct genlmsghdr genl = { .cmd = cmd, .version = 1 };
	size_t begin = msg->len;

	memcpy(msg->data + msg->len, &head, sizeof(head));
	msg->len += sizeof(head);
	memcpy(msg->data + msg->len, &genl, sizeof(genl));
	msg->len += sizeof(genl);
	return begin;
}

void genl_finish(struct genl_msg *msg, size_t begin)
{
	uint32_t len = msg->len - begin;

	memcpy(msg->data + begin, &len, sizeof(len));
}

void genl_put(struct genl_msg *msg, uint16_t type, const void *data,
	      size_t len)
{
	struct nlattr attr = { .nla_len = NLA_HDRLEN + len, .nla_type = type };

	if (msg->len + NLA_HDRLEN + len + NLA_ALIGNTO > sizeof(msg->data))
		return;
	memcpy(msg->data + msg->len, &attr, sizeof(attr));
	msg->len += sizeof(attr);
	if (len)
		memcpy(msg->data + msg->len, data, len);
	msg->len += len;
	while (msg->len % NLA_ALIGNTO)
		msg->data[msg->len++] = 0;
}

void genl_put_u8(struct genl_msg *msg, uint16_t type, uint8_t value)
{
	genl_put(msg, type, &value, sizeof(value));
}

void genl_put_u16(struct genl_msg *msg, uint16_t type, uint16_t value)
{
	genl_put(msg, type, &value, sizeof(value));
}

void genl_put_u32(struct genl_msg *msg, uint16_t type, uint32_t value)
{
	genl_put(msg, type, &value, sizeof(value));
}

void genl_put_u64(struct genl_msg *msg, uint16_t type, uint64_t value)
{
	genl_put(msg, type, &value, sizeof(value));
}

void genl_put_string(struct genl_msg *msg, uint16_t type, const char *text)
{
	genl_put(msg, type, text, strlen(text) + 1);
}

size_t genl_nest(struct genl_msg *msg, uint16_t type)
{
	size_t begin = msg->len;

	genl_put(msg, type | NLA_F_NESTED, NULL, 0);
	return begin;
}

void genl_nest_end(struct genl_msg *msg, size_t begin)
{
	uint16_t len = msg->len - begin;

	memcpy(msg->data + begin, &len, sizeof(len));
}

long genl_send(struct genl *nl, const struct genl_msg *msg)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return sendto(nl->fd, msg->data, msg->len, 0, (void *)&kernel,
		      sizeof(kernel));
}

bool genl_wait(struct genl *nl, double seconds)
{
	struct pollfd poll_fd = { .fd = nl->fd, .events = POLLIN };

	return poll(&poll_fd, 1, seconds * 1000) > 0;
}

/* One datagram. Return: true: the last answer was in it, its error in @error */
static bool answered(struct genl *nl, genl_seen_t seen, void *arg, int *error)
{
	static uint8_t buf[4 * GENL_BUF];
	struct nlmsghdr *head;
	ssize_t len;

	len = recv(nl->fd, buf, sizeof(buf), 0);
	if (len < 0 && errno == ENOBUFS)
		return false;
	if (len < 0)
		run_die("netlink answer");
	for (head = (void *)buf; NLMSG_OK(head, len);
	     head = NLMSG_NEXT(head, len)) {
		if (head->nlmsg_seq != nl->seq)
			continue;
		if (head->nlmsg_type == NLMSG_ERROR ||
		    head->nlmsg_type == NLMSG_DONE) {
			memcpy(error, NLMSG_DATA(head), sizeof(*error));
			return true;
		}
		if (seen && head->nlmsg_len >= NLMSG_LENGTH(GENL_HDRLEN))
			seen((uint8_t *)NLMSG_DATA(head) + GENL_HDRLEN,
			     head->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN), arg);
	}
	return false;
}

int genl_ask(struct genl *nl, const struct genl_msg *msg, genl_seen_t seen,
	     void *arg)
{
	double until = run_now() + run.limit;
	int error = 0;

	if (genl_send(nl, msg) < 0)
		return -errno;
	while (genl_wait(nl, until - run_now() > 0 ? until - run_now() : 0))
		if (answered(nl, seen, arg, &error))
			return error;
	return -ETIME;
}

int genl_do(struct genl *nl, uint8_t cmd)
{
	static struct genl_msg msg;

	msg.len = 0;
	genl_finish(&msg, genl_begin(nl, &msg, cmd, NLM_F_ACK));
	return genl_ask(nl, &msg, NULL, NULL);
}

int genl_dump(struct genl *nl, uint8_t cmd, genl_seen_t seen, void *arg)
{
	static struct genl_msg msg;

	msg.len = 0;
	genl_finish(&msg, genl_begin(nl, &msg, cmd, NLM_F_DUMP));
	return genl_ask(nl, &msg, seen, arg);
}

const void *genl_attr(const uint8_t *attrs, size_t len, uint16_t type,
		      size_t *size)
{
	struct nlattr attr;

	while (len >= sizeof(attr)) {
		memcpy(&attr, attrs, sizeof(attr));
		if (attr.nla_len < sizeof(attr) || attr.nla_len > len)
			return NULL;
		*size = attr.nla_len - NLA_HDRLEN;
		if ((attr.nla_type & NLA_TYPE_MASK) == type)
			return attrs + NLA_HDRLEN;
		if ((size_t)NLA_ALIGN(attr.nla_len) >= len)
			return NULL;
		attrs += NLA_ALIGN(attr.nla_len);
		len -= NLA_ALIGN(attr.nla_len);
	}
	return NULL;
}

static const struct {
	const char *name;
	size_t offset;
	bool settles;
} figures[] = {
#define FIGURE(name, settles)	{ #name, offsetof(struct gauges, name), settles }
	FIGURE(listeners, true),
	FIGURE(connections, true),
	FIGURE(half_open, true),
	FIGURE(sessions, true),
	FIGURE(subscriptions, true),
	FIGURE(filter_nodes, true),
	FIGURE(topic_nodes, true),
	FIGURE(retained_messages, true),
	FIGURE(memory_bytes, true),
	FIGURE(bytes_received, false),
	FIGURE(connections_refused, true),
	FIGURE(dropped_memory, true),
#undef FIGURE
};

#define NR_FIGURES	(sizeof(figures) / sizeof(figures[0]))

static uint64_t figure(const struct gauges *of, size_t i)
{
	return *(const uint64_t *)((const char *)of + figures[i].offset);
}

static void take_figure(const uint8_t *attrs, size_t len, void *arg)
{
	const char *name;
	const void *value;
	size_t i, size;

	name = genl_attr(attrs, len, KMQTT_A_NAME, &size);
	value = genl_attr(attrs, len, KMQTT_A_VALUE, &size);
	if (!name || !value)
		return;
	for (i = 0; i < NR_FIGURES; i++)
		if (!strcmp(name, figures[i].name))
			memcpy((char *)arg + figures[i].offset, value,
			       sizeof(uint64_t));
}

void genl_gauges(struct genl *nl, struct gauges *now)
{
	int ret;

	memset(now, 0, sizeof(*now));
	ret = genl_dump(nl, KMQTT_CMD_STATS_GET, take_figure, now);
	if (ret)
		run_fail("STATS_GET: error %d", ret);
}

const char *gauges_differ(const struct gauges *now, const struct gauges *base)
{
	size_t i;

	for (i = 0; i < NR_FIGURES; i++)
		if (figures[i].settles && figure(now, i) != figure(base, i))
			return figures[i].name;
	return NULL;
}

void gauges_say(const struct gauges *now, const struct gauges *base)
{
	size_t i;

	for (i = 0; i < NR_FIGURES; i++)
		if (figures[i].settles && figure(now, i) != figure(base, i))
			run_say("%s: %llu, was %llu", figures[i].name,
				(unsigned long long)figure(now, i),
				(unsigned long long)figure(base, i));
}

int genl_listen(struct genl *nl, uint16_t port, uint8_t mode)
{
	in_addr_t addr = htonl(INADDR_LOOPBACK);
	static struct genl_msg msg;
	size_t at;

	msg.len = 0;
	at = genl_begin(nl, &msg, KMQTT_CMD_LISTENER_NEW, NLM_F_ACK);
	genl_put(&msg, KMQTT_A_ADDRESS, &addr, sizeof(addr));
	genl_put_u16(&msg, KMQTT_A_PORT, port);
	genl_put_u8(&msg, KMQTT_A_AUTH_MODE, mode);
	genl_finish(&msg, at);
	return genl_ask(nl, &msg, NULL, NULL);
}

int genl_config(struct genl *nl, const char *name, uint64_t value)
{
	static struct genl_msg msg;
	size_t at, item;

	msg.len = 0;
	at = genl_begin(nl, &msg, KMQTT_CMD_CONFIG_SET, NLM_F_ACK);
	item = genl_nest(&msg, KMQTT_A_ITEM);
	genl_put_string(&msg, KMQTT_A_NAME, name);
	genl_put_u64(&msg, KMQTT_A_VALUE, value);
	genl_nest_end(&msg, item);
	genl_finish(&msg, at);
	return genl_ask(nl, &msg, NULL, NULL);
}
