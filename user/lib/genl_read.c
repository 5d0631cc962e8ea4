// SPDX-License-Identifier: GPL-2.0
/*
 * What arrives. The loop is our own and not libnl's for the extended-ack texts
 * and for messages that arrive unasked while a request waits for its answer.
 */
#include "genl_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/socket.h>

#define WAIT_MS		30000
#define READ_BUDGET	64	/* datagrams of one kmnl_read() */

static int message_deliver(struct kmnl *nl, struct nlmsghdr *nlh, kmnl_fn fn,
			   void *arg)
{
	struct nlattr *a[KMQTT_A_MAX_ATTR + 1];
	struct genlmsghdr *gh = nlmsg_data(nlh);
	int ret;

	if (nlmsg_datalen(nlh) < (int)GENL_HDRLEN)
		return kmnl_fail(nl, -EPROTO,
				 "the module sent a message without a command");
	ret = nlmsg_parse(nlh, GENL_HDRLEN, a, KMQTT_A_MAX_ATTR,
			  kmnl_attr_policy());
	if (ret < 0)
		return kmnl_fail(nl, -EPROTO,
				 "the module sent a message that makes no sense (command %d): %s",
				 gh->cmd, nl_geterror(ret));
	return fn ? fn(gh->cmd, a, arg) : 0;
}

/* success, error, or end of a dump */
static void answer_end(struct kmnl *nl, struct nlmsghdr *nlh,
		       struct kmnl_wait *w)
{
	int err = kmnl_explain(nl, nlh, w->request);

	w->done = 1;
	if (!w->ret)
		w->ret = err;
}

static void answer_handle(struct kmnl *nl, struct nlmsghdr *nlh,
			  struct kmnl_wait *w)
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
		struct kmnl_wait w = { .ret = 0 };

		answer_end(nl, nlh, &w);
		if (w.ret)
			nl->refused = w.ret;
		return 0;
	}
	if (!is_unasked(nl, nlh))
		return 0;
	return message_deliver(nl, nlh, nl->handler, nl->handler_arg);
}

/* hands over what was kept; the handler's errno or 0 */
static int kept_handle(struct kmnl *nl)
{
	struct nlmsghdr *nlh;
	int ret = 0;

	while ((nlh = kmnl_kept_take(nl))) {
		int err = stray_handle(nl, nlh);

		if (err < 0)
			ret = err;
		free(nlh);
	}
	return ret;
}

static int datagram_handle(struct kmnl *nl, int len, struct kmnl_wait *w)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)nl->buf;
	int ret = 0;

	for (; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
		int err = 0;

		if (w && is_unasked(nl, nlh))
			kmnl_keep(nl, nlh);
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

int kmnl_answer_wait(struct kmnl *nl, struct kmnl_wait *w)
{
	long end = now_ms() + WAIT_MS;

	while (!w->done) {
		struct pollfd p = {
			.fd = nl_socket_get_fd(nl->sk), .events = POLLIN,
		};
		long left = end - now_ms();
		int len;

		if (left <= 0)
			return kmnl_fail(nl, -ETIMEDOUT,
					 "the module did not answer within %d s",
					 WAIT_MS / 1000);
		if (poll(&p, 1, left) <= 0)
			continue;
		len = datagram_read(nl);
		if (len == -ENOBUFS)
			nl->overrun = 1;
		else if (len < 0 && len != -EAGAIN && len != -EINTR)
			return kmnl_fail(nl, len,
					 "cannot read from the module: %s",
					 strerror(-len));
		else if (len > 0)
			datagram_handle(nl, len, w);
		/* of a long dump each part has its own time */
		if (len > 0)
			end = now_ms() + WAIT_MS;
	}
	return w->ret;
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
			return kmnl_fail(nl, len,
					 "cannot read from the module: %s",
					 strerror(-len));
		if (len > 0)
			err = datagram_handle(nl, len, NULL);
		if (err < 0)
			ret = err;
	}
	if (nl->no_memory) {
		nl->no_memory = 0;
		return kmnl_fail(nl, -ENOMEM,
				 "messages of the module were lost: out of memory");
	}
	if (nl->overrun || lost) {
		nl->overrun = 0;
		return kmnl_fail(nl, -ENOBUFS,
				 "messages of the module were lost: they came faster than they were read");
	}
	if (nl->refused) {
		ret = nl->refused;
		nl->refused = 0;
	}
	return ret;
}
