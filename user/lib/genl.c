// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets and attributes are libnl's; the reading loop is our own, for the
 * extended-ack texts and for messages that arrive unasked while a request
 * waits for its answer.
 */
#include "genl.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK	270
#endif

#define MAX_ERRNO	4095	/* as the kernel has it */
#define WAIT_MS		30000
#define KEPT_MAX	4096
#define READ_BUDGET	64	/* datagrams of one kmnl_read() */
#define SNDBUF		(512 * 1024)
#define RCVBUF		(1024 * 1024)

/* a message that came while a request waited */
struct kept {
	struct kept *next;
	struct nlmsghdr *nlh;
};

struct kmnl {
	struct nl_sock *sk;
	int family;
	uint32_t port;		/* our netlink address */
	uint32_t seq;		/* of the last request */
	int dump_changed;
	int overrun;		/* messages were lost, not yet reported */
	int no_memory;		/* the same, and nobody sends them again */
	int refused;		/* errno of a kmnl_send() request */
	char *buf;		/* datagram being read */
	size_t buf_size;
	kmnl_fn handler;
	void *handler_arg;
	struct kept *kept;	/* oldest first */
	struct kept **kept_last;
	unsigned int kept_count;
	char error[512];
};

/* a request that waits */
struct wait {
	const struct nlmsghdr *request;
	kmnl_fn fn;
	void *arg;
	int done;
	int ret;
};

#define U8	{ .type = NLA_U8 }
#define U16	{ .type = NLA_U16 }
#define U32	{ .type = NLA_U32 }
#define U64	{ .type = NLA_U64 }
#define STR	{ .type = NLA_STRING }
#define BIN	{ .type = NLA_UNSPEC }

/* what the header says about each attribute */
static const struct {
	const char *name;
	struct nla_policy policy;
} attr_table[KMQTT_A_MAX_ATTR + 1] = {
#define ATTR(n, p) \
	[KMQTT_A_##n] = { #n, p }
	ATTR(LISTENER_ID, U32),
	ATTR(ADDRESS, BIN),
	ATTR(PORT, U16),
	ATTR(AUTH_MODE, U8),
	ATTR(MAX_CONNECTIONS, U32),
	ATTR(CONNECTIONS, U32),
	ATTR(CLIENT_ID, STR),
	ATTR(USERNAME, STR),
	ATTR(PASSWORD, BIN),
	ATTR(AUTH_METHOD, STR),
	ATTR(AUTH_DATA, BIN),
	ATTR(VERSION, U8),
	ATTR(KEEP_ALIVE, U16),
	ATTR(AGE, U64),
	ATTR(PACKETS_IN, U64),
	ATTR(PACKETS_OUT, U64),
	ATTR(BYTES_IN, U64),
	ATTR(BYTES_OUT, U64),
	ATTR(DROPPED, U64),
	ATTR(REASON, U8),
	ATTR(REASON_STRING, STR),
	ATTR(CONNECTED, U8),
	ATTR(EXPIRY, U32),
	ATTR(SUBSCRIPTIONS, U32),
	ATTR(INFLIGHT, U32),
	ATTR(QUEUED, U32),
	ATTR(QUEUED_BYTES, U64),
	ATTR(AWAITING_REL, U32),
	ATTR(FILTER, STR),
	ATTR(TOPIC, STR),
	ATTR(QOS, U8),
	ATTR(OPTIONS, U8),
	ATTR(SUBSCRIPTION_ID, U32),
	ATTR(SIZE, U32),
	ATTR(PAYLOAD, BIN),
	ATTR(COUNT, U32),
	ATTR(ITEM, BIN),
	ATTR(NAME, STR),
	ATTR(VALUE, U64),
	ATTR(DEFAULT, U64),
	ATTR(MIN, U64),
	ATTR(MAX, U64),
	ATTR(HELP, STR),
	ATTR(ACL_FLAGS, U32),
	ATTR(ACCESS, U8),
	ATTR(RULE_FLAGS, U32),
	ATTR(REQUEST_ID, U64),
	ATTR(STAGE, U8),
	ATTR(EVENT_TYPE, U8),
#undef ATTR
};

const char *kmnl_attr_name(int type)
{
	if (type < 0 || type > KMQTT_A_MAX_ATTR || !attr_table[type].name)
		return "?";
	return attr_table[type].name;
}

static const struct nla_policy *attr_policy(void)
{
	static struct nla_policy policy[KMQTT_A_MAX_ATTR + 1];
	static int built;

	if (!built) {
		for (int i = 0; i <= KMQTT_A_MAX_ATTR; i++)
			policy[i] = attr_table[i].policy;
		built = 1;
	}
	return policy;
}

__attribute__((format(printf, 3, 4)))
static int fail(struct kmnl *nl, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(nl->error, sizeof(nl->error), fmt, ap);
	va_end(ap);
	return err;
}

const char *kmnl_error(const struct kmnl *nl)
{
	return nl->error[0] ? nl->error : "no error";
}

static int family_resolve(struct kmnl *nl, char *err, size_t size)
{
	int ret;

	nl->family = genl_ctrl_resolve(nl->sk, KMQTT_GENL_NAME);
	if (nl->family >= 0)
		return 0;
	ret = -nl->family;
	if (ret == NLE_OBJ_NOTFOUND) {
		snprintf(err, size,
			 "the kernel has no %s: load the module (modprobe kmqtt, or insmod kmqtt.ko)",
			 KMQTT_GENL_NAME);
		return -ENOENT;
	}
	snprintf(err, size, "cannot look up netlink family %s: %s",
		 KMQTT_GENL_NAME, nl_geterror(ret));
	return -EPROTO;
}

struct kmnl *kmnl_open(char *err, size_t size)
{
	struct kmnl *nl = calloc(1, sizeof(*nl));
	int one = 1, fd, ret = -ENOMEM;

	if (!nl)
		goto no_memory;
	nl->kept_last = &nl->kept;
	nl->buf_size = 32 * 1024;
	nl->buf = malloc(nl->buf_size);
	nl->sk = nl_socket_alloc();
	if (!nl->buf || !nl->sk)
		goto no_memory;
	nl_socket_disable_seq_check(nl->sk);
	ret = genl_connect(nl->sk);
	if (ret < 0) {
		snprintf(err, size, "cannot open a netlink socket: %s",
			 nl_geterror(ret));
		ret = -EPROTO;
		goto err_close;
	}
	fd = nl_socket_get_fd(nl->sk);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	nl_socket_set_buffer_size(nl->sk, RCVBUF, SNDBUF);
	nl->port = nl_socket_get_local_port(nl->sk);
	nl->seq = time(NULL);
	ret = family_resolve(nl, err, size);
	if (ret < 0)
		goto err_close;
	return nl;

no_memory:
	snprintf(err, size, "out of memory");
err_close:
	kmnl_close(nl);
	errno = -ret;
	return NULL;
}

void kmnl_close(struct kmnl *nl)
{
	struct kept *k;

	if (!nl)
		return;
	while ((k = nl->kept)) {
		nl->kept = k->next;
		free(k->nlh);
		free(k);
	}
	nl_socket_free(nl->sk);
	free(nl->buf);
	free(nl);
}

static struct nl_msg *msg_new(struct kmnl *nl, int cmd, size_t size)
{
	struct nl_msg *msg = nlmsg_alloc_size(size);

	if (!msg)
		return NULL;
	if (!genlmsg_put(msg, nl->port, 0, nl->family, 0, 0, cmd,
			 KMQTT_GENL_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

struct nl_msg *kmnl_msg(struct kmnl *nl, int cmd)
{
	return msg_new(nl, cmd, KMNL_MSG_SIZE);
}

struct nl_msg *kmnl_msg_small(struct kmnl *nl, int cmd)
{
	return msg_new(nl, cmd, 4096);
}

/* the message stays the caller's: errors are explained with it */
static int transmit(struct kmnl *nl, struct nl_msg *msg, int flags)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	ssize_t sent;

	nlh->nlmsg_flags |= NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	nlh->nlmsg_pid = nl->port;
	do {
		sent = sendto(nl_socket_get_fd(nl->sk), nlh, nlh->nlmsg_len,
			      MSG_DONTWAIT, (struct sockaddr *)&kernel,
			      sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	if (sent < 0) {
		int err = errno;

		return fail(nl, -err, "cannot send to the module: %s",
			    strerror(err));
	}
	return 0;
}

/*
 * Name of the attribute at an offset of the request. The offset comes from
 * the kernel, but is checked: it may be that of another request.
 */
static const char *attr_at(const struct nlmsghdr *request, uint32_t offset)
{
	const struct nlattr *nla;

	if (!request || offset < NLMSG_HDRLEN + GENL_HDRLEN ||
	    offset > request->nlmsg_len - NLA_HDRLEN)
		return NULL;
	nla = (const void *)((const char *)request + offset);
	return kmnl_attr_name(nla_type(nla));
}

static const char *errno_text(int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		return "permission denied: this needs CAP_NET_ADMIN (run it as root)";
	case EOPNOTSUPP:
		return "the module does not know this request: it is of another version";
	default:
		return strerror(err);
	}
}

/*
 * Fills in the sentence for an error the kernel answered with; @tlvs are the
 * extended-ack attributes behind it, if any.
 */
static int kernel_error(struct kmnl *nl, int err, struct nlattr *tlvs, int len,
			const struct nlmsghdr *request)
{
	static struct nla_policy policy[NLMSGERR_ATTR_MAX + 1] = {
		[NLMSGERR_ATTR_OFFS] = U32,
		[NLMSGERR_ATTR_MISS_TYPE] = U32,
	};
	struct nlattr *a[NLMSGERR_ATTR_MAX + 1] = { NULL };
	const char *text = NULL, *attr = NULL, *what = "attribute";

	if (len > 0 &&
	    nla_parse(a, NLMSGERR_ATTR_MAX, tlvs, len, policy) == 0) {
		struct nlattr *m = a[NLMSGERR_ATTR_MSG];

		if (m && nla_len(m) > 0 && memchr(nla_data(m), 0, nla_len(m)))
			text = nla_data(m);
		if (a[NLMSGERR_ATTR_OFFS])
			attr = attr_at(request,
				       nla_get_u32(a[NLMSGERR_ATTR_OFFS]));
		m = a[NLMSGERR_ATTR_MISS_TYPE];
		if (!attr && m) {
			what = "missing attribute";
			attr = kmnl_attr_name(nla_get_u32(m));
		}
	}
	if (!text)
		text = errno_text(-err);
	if (attr)
		return fail(nl, err, "%s (%s %s)", text, what, attr);
	return fail(nl, err, "%s", text);
}

static int message_deliver(struct kmnl *nl, struct nlmsghdr *nlh, kmnl_fn fn,
			   void *arg)
{
	struct nlattr *a[KMQTT_A_MAX_ATTR + 1];
	struct genlmsghdr *gh = nlmsg_data(nlh);
	int ret;

	if (nlmsg_datalen(nlh) < (int)GENL_HDRLEN)
		return fail(nl, -EPROTO,
			    "the module sent a message without a command");
	ret = nlmsg_parse(nlh, GENL_HDRLEN, a, KMQTT_A_MAX_ATTR,
			  attr_policy());
	if (ret < 0)
		return fail(nl, -EPROTO,
			    "the module sent a message that makes no sense (command %d): %s",
			    gh->cmd, nl_geterror(ret));
	return fn ? fn(gh->cmd, a, arg) : 0;
}

/*
 * Where the extended-ack attributes of an answer begin: behind the error, and
 * behind what it echoes of the request. @len if there are none.
 */
static int tlvs_offset(struct nlmsghdr *nlh, int len)
{
	const struct nlmsgerr *e = nlmsg_data(nlh);
	uint32_t echoed;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return len;
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return len < (int)sizeof(int) ? len : (int)sizeof(int);
	if (len < (int)sizeof(*e))
		return len;
	if (nlh->nlmsg_flags & NLM_F_CAPPED)
		return sizeof(*e);
	echoed = e->msg.nlmsg_len - NLMSG_HDRLEN;
	if (e->msg.nlmsg_len < NLMSG_HDRLEN || echoed > len - sizeof(*e))
		return len;
	echoed = sizeof(*e) + NLMSG_ALIGN(echoed);
	return (int)echoed < len ? (int)echoed : len;
}

/* success, error, or end of a dump */
static void answer_end(struct kmnl *nl, struct nlmsghdr *nlh, struct wait *w)
{
	int err = 0, skip, len = nlmsg_datalen(nlh);
	char *data = nlmsg_data(nlh);

	w->done = 1;
	if (len >= (int)sizeof(int))
		memcpy(&err, data, sizeof(err));
	if (nlh->nlmsg_type == NLMSG_ERROR &&
	    len < (int)sizeof(struct nlmsgerr))
		err = -EPROTO;
	if (err < -MAX_ERRNO)
		err = -EPROTO;
	if (err < 0) {
		skip = tlvs_offset(nlh, len);
		kernel_error(nl, err, (struct nlattr *)(data + skip),
			     len - skip, w->request);
		if (!w->ret)
			w->ret = err;
	}
}

static void answer_handle(struct kmnl *nl, struct nlmsghdr *nlh,
			  struct wait *w)
{
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		nl->dump_changed = 1;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		answer_end(nl, nlh, w);
	} else if (nlh->nlmsg_type == nl->family && !w->ret) {
		int ret = message_deliver(nl, nlh, w->fn, w->arg);

		if (ret < 0)
			w->ret = ret;
	}
}

static int is_unasked(const struct kmnl *nl, struct nlmsghdr *nlh)
{
	struct genlmsghdr *gh = nlmsg_data(nlh);

	return nlh->nlmsg_type == nl->family &&
		nlmsg_datalen(nlh) >= (int)GENL_HDRLEN &&
		(gh->cmd == KMQTT_CMD_AUTH_REQUEST ||
		 gh->cmd == KMQTT_CMD_EVENT);
}

/* a message that no request waits for; the handler's errno or 0 */
static int stray_handle(struct kmnl *nl, struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_type == NLMSG_ERROR &&
	    nlmsg_datalen(nlh) >= (int)sizeof(struct nlmsgerr)) {
		struct wait w = { .ret = 0 };

		answer_end(nl, nlh, &w);
		if (w.ret)
			nl->refused = w.ret;
		return 0;
	}
	if (!is_unasked(nl, nlh))
		return 0;
	return message_deliver(nl, nlh, nl->handler, nl->handler_arg);
}

static void message_keep(struct kmnl *nl, const struct nlmsghdr *nlh)
{
	struct kept *k;

	if (nl->kept_count >= KEPT_MAX) {
		nl->overrun = 1;
		return;
	}
	k = calloc(1, sizeof(*k));
	if (k)
		k->nlh = malloc(nlh->nlmsg_len);
	if (!k || !k->nlh) {
		free(k);
		nl->no_memory = 1;
		return;
	}
	memcpy(k->nlh, nlh, nlh->nlmsg_len);
	*nl->kept_last = k;
	nl->kept_last = &k->next;
	nl->kept_count++;
}

/* hands over what message_keep() took; the handler's errno or 0 */
static int kept_handle(struct kmnl *nl)
{
	struct kept *k;
	int ret = 0;

	while ((k = nl->kept)) {
		int err = stray_handle(nl, k->nlh);

		if (err < 0)
			ret = err;
		nl->kept = k->next;
		if (!nl->kept)
			nl->kept_last = &nl->kept;
		nl->kept_count--;
		free(k->nlh);
		free(k);
	}
	return ret;
}

static int datagram_handle(struct kmnl *nl, int len, struct wait *w)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)nl->buf;
	int ret = 0;

	for (; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
		int err = 0;

		if (w && is_unasked(nl, nlh))
			message_keep(nl, nlh);
		else if (w && !w->done &&
			 nlh->nlmsg_seq == w->request->nlmsg_seq)
			answer_handle(nl, nlh, w);
		else
			err = stray_handle(nl, nlh);
		if (err < 0)
			ret = err;
	}
	return ret;
}

/*
 * One datagram into nl->buf, which grows to its size: netlink cuts off what
 * does not fit. Returns its length, 0 if it is not from the kernel, or
 * negative errno.
 */
static int datagram_read(struct kmnl *nl)
{
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);
	int fd = nl_socket_get_fd(nl->sk);
	ssize_t len;

	len = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	if (len < 0)
		return -errno;
	if ((size_t)len > nl->buf_size) {
		char *buf = realloc(nl->buf, len);

		if (!buf) {
			/* it must go, else it is met again and again */
			recv(fd, nl->buf, nl->buf_size, MSG_DONTWAIT);
			nl->no_memory = 1;
			return -EAGAIN;
		}
		nl->buf = buf;
		nl->buf_size = len;
	}
	len = recvfrom(fd, nl->buf, nl->buf_size, MSG_DONTWAIT,
		       (struct sockaddr *)&from, &from_len);
	if (len < 0)
		return -errno;
	return from.nl_pid == 0 ? len : 0;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static int wait_for_answer(struct kmnl *nl, struct wait *w)
{
	long end = now_ms() + WAIT_MS;

	while (!w->done) {
		struct pollfd p = {
			.fd = nl_socket_get_fd(nl->sk), .events = POLLIN,
		};
		long left = end - now_ms();
		int len;

		if (left <= 0)
			return fail(nl, -ETIMEDOUT,
				    "the module did not answer within %d s",
				    WAIT_MS / 1000);
		if (poll(&p, 1, left) <= 0)
			continue;
		len = datagram_read(nl);
		if (len == -ENOBUFS)
			nl->overrun = 1;
		else if (len < 0 && len != -EAGAIN && len != -EINTR)
			return fail(nl, len, "cannot read from the module: %s",
				    strerror(-len));
		else if (len > 0)
			datagram_handle(nl, len, w);
		/* of a long dump each part has its own time */
		if (len > 0)
			end = now_ms() + WAIT_MS;
	}
	return w->ret;
}

static int request_run(struct kmnl *nl, struct nl_msg *msg, int flags,
		       kmnl_fn fn, void *arg)
{
	struct wait w = { .fn = fn, .arg = arg };
	int ret;

	nl->error[0] = 0;
	nl->dump_changed = 0;
	if (!msg)
		return fail(nl, -ENOMEM, "out of memory");
	w.request = nlmsg_hdr(msg);
	ret = transmit(nl, msg, flags);
	if (!ret)
		ret = wait_for_answer(nl, &w);
	nlmsg_free(msg);
	if (ret < 0 && !nl->error[0])
		fail(nl, ret, "%s", strerror(-ret));
	return ret;
}

int kmnl_request(struct kmnl *nl, struct nl_msg *msg, kmnl_fn fn, void *arg)
{
	return request_run(nl, msg, NLM_F_ACK, fn, arg);
}

int kmnl_dump(struct kmnl *nl, struct nl_msg *msg, kmnl_fn fn, void *arg)
{
	return request_run(nl, msg, NLM_F_DUMP, fn, arg);
}

int kmnl_dump_changed(const struct kmnl *nl)
{
	return nl->dump_changed;
}

int kmnl_send(struct kmnl *nl, struct nl_msg *msg)
{
	int ret;

	if (!msg)
		return fail(nl, -ENOMEM, "out of memory");
	ret = transmit(nl, msg, 0);
	nlmsg_free(msg);
	return ret;
}

void kmnl_set_handler(struct kmnl *nl, kmnl_fn fn, void *arg)
{
	nl->handler = fn;
	nl->handler_arg = arg;
}

int kmnl_subscribe(struct kmnl *nl)
{
	int group, ret;

	group = genl_ctrl_resolve_grp(nl->sk, KMQTT_GENL_NAME,
				      KMQTT_MCGRP_EVENTS);
	if (group < 0)
		return fail(nl, -ENOENT,
			    "the module has no events: it is of another version");
	ret = nl_socket_add_membership(nl->sk, group);
	if (ret < 0)
		return fail(nl, -EPERM, "cannot subscribe to events: %s",
			    nl_geterror(ret));
	return 0;
}

int kmnl_fd(const struct kmnl *nl)
{
	return nl_socket_get_fd(nl->sk);
}

void kmnl_set_rcvbuf(struct kmnl *nl, int bytes)
{
	int fd = kmnl_fd(nl);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int kmnl_read(struct kmnl *nl)
{
	int ret = kept_handle(nl), lost = 0;

	for (int i = 0; i < READ_BUDGET; i++) {
		int len = datagram_read(nl), err = 0;

		if (len == -EAGAIN)
			break;
		if (len == -ENOBUFS)
			lost = 1;
		else if (len < 0 && len != -EINTR)
			return fail(nl, len, "cannot read from the module: %s",
				    strerror(-len));
		if (len > 0)
			err = datagram_handle(nl, len, NULL);
		if (err < 0)
			ret = err;
	}
	if (nl->no_memory) {
		nl->no_memory = 0;
		return fail(nl, -ENOMEM,
			    "messages of the module were lost: out of memory");
	}
	if (nl->overrun || lost) {
		nl->overrun = 0;
		return fail(nl, -ENOBUFS,
			    "messages of the module were lost: they came faster than they were read");
	}
	if (nl->refused) {
		ret = nl->refused;
		nl->refused = 0;
	}
	return ret;
}
