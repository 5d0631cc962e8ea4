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

static int is_answer(const struct kmnl *nl, struct nlmsghdr *nlh,
		     const struct kmnl_wait *w)
{
	return w && !w->done && nlh->nlmsg_seq == w->request->nlmsg_seq &&
		!is_unasked(nl, nlh);
}

/*
 * A datagram whose end is gone. What it was is in its first header: answers
 * and notices are never in one datagram.
 */
static void cut_handle(struct kmnl *nl, struct kmnl_wait *w)
{
	if (is_answer(nl, (struct nlmsghdr *)nl->buf, w))
		w->cut = 1;
	else
		nl->no_memory = 1;
}

static int datagram_handle(struct kmnl *nl, int len, struct kmnl_wait *w)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)nl->buf;
	int ret = 0;

	if ((size_t)len > nl->buf_size) {
		cut_handle(nl, w);
		return 0;
	}
	for (; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
		int err = 0;

		if (is_answer(nl, nlh, w))
			answer_handle(nl, nlh, w);
		else if (w && is_unasked(nl, nlh))
			kmnl_keep(nl, nlh);
		else
			err = stray_handle(nl, nlh);
		if (err < 0)
			ret = err;
	}
	return ret;
}

static void buffer_grow(struct kmnl *nl, size_t size)
{
	char *buf = realloc(nl->buf, size);

	if (!buf)
		return;
	nl->buf = buf;
	nl->buf_size = size;
}

/*
 * One datagram into nl->buf, which grows to its size: netlink cuts off what
 * does not fit. Returns its length, which is more than nl->buf_size if there is
 * no memory for all of it; 0 if this was none, or not one of the kernel's;
 * -EAGAIN if nothing is left; or another errno, with its sentence.
 */
static int datagram_read(struct kmnl *nl)
{
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);
	int fd = nl_socket_get_fd(nl->sk);
	ssize_t len;

	len = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	if (len > 0 && (size_t)len > nl->buf_size)
		buffer_grow(nl, len);
	/* one that is too long must go, else it is met again and again */
	if (len >= 0)
		len = recvfrom(fd, nl->buf, nl->buf_size,
			       MSG_DONTWAIT | MSG_TRUNC,
			       (struct sockaddr *)&from, &from_len);
	if (len >= 0)
		return from.nl_pid == 0 ? len : 0;
	if (errno == EAGAIN)
		return -EAGAIN;
	if (errno != ENOBUFS && errno != EINTR)
		return kmnl_fail(nl, -errno, "cannot read from the module: %s",
				 strerror(errno));
	if (errno == ENOBUFS) {
		nl->overrun = 1;
		nl->congested = 1;
	}
	return 0;
}

static long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

/* the answer, or the missing part of it, will not come any more */
static int answer_lost(struct kmnl *nl, const struct kmnl_wait *w)
{
	int dump = w->request->nlmsg_flags & NLM_F_DUMP;

	return kmnl_fail(nl, w->cut ? -ENOMEM : -ENOBUFS,
			 "the module's answer was lost, %s%s",
			 w->cut ? "out of memory" :
			 "as there was no room for it",
			 dump ? ": try again" :
			 "; what was asked may have been done or not: look, and try again");
}

/*
 * Netlink is synchronous: an answer is queued within sendto(), each next part
 * of a dump when the one before is read. So what is known to miss messages is
 * read as far as it goes, without waiting for more.
 *
 * Return: is there something to read? Negative errno if nothing will be.
 */
static int answer_poll(struct kmnl *nl, const struct kmnl_wait *w, long end)
{
	struct pollfd p = {
		.fd = nl_socket_get_fd(nl->sk), .events = POLLIN,
	};
	int missing = w->cut || nl->congested, ret;
	long left = end - now_ms();

	if (left <= 0)
		return -ETIMEDOUT;
	ret = poll(&p, 1, missing ? 0 : left);
	if (!ret && missing) {
		nl->congested = 0;
		return -ENOBUFS;
	}
	return ret > 0;
}

int kmnl_answer_wait(struct kmnl *nl, struct kmnl_wait *w)
{
	long end = now_ms() + WAIT_MS;

	while (!w->done) {
		int len, ret = answer_poll(nl, w, end);

		if (ret == -ETIMEDOUT)
			return kmnl_fail(nl, ret,
					 "the module did not answer within %d s",
					 WAIT_MS / 1000);
		if (ret < 0)
			break;
		len = ret ? datagram_read(nl) : 0;
		if (len < 0 && len != -EAGAIN)
			return len;
		if (len <= 0)
			continue;
		datagram_handle(nl, len, w);
		/* of a long dump each part has its own time */
		end = now_ms() + WAIT_MS;
	}
	if (!w->ret && (w->cut || !w->done))
		return answer_lost(nl, w);
	return w->ret;
}

int kmnl_read(struct kmnl *nl)
{
	int ret = kept_handle(nl);

	for (int i = 0; i < READ_BUDGET; i++) {
		int len = datagram_read(nl), err = 0;

		if (len == -EAGAIN) {
			nl->congested = 0;
			break;
		}
		if (len < 0)
			return len;
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
	if (nl->overrun) {
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
