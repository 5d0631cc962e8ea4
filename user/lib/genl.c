// SPDX-License-Identifier: GPL-2.0
/*
 * Opening a handle, and sending requests. Sockets and attributes are libnl's;
 * reading is our own, see genl_read.c.
 */
#include "genl.h"

#include <errno.h>
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

#include "genl_socket.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK	270
#endif

#define SNDBUF		(512 * 1024)
#define RCVBUF		(1024 * 1024)

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
	if (!nl)
		return;
	kmnl_kept_free(nl);
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

		return kmnl_fail(nl, -err, "cannot send to the module: %s",
				 strerror(err));
	}
	return 0;
}

static int request_run(struct kmnl *nl, struct nl_msg *msg, int flags,
		       kmnl_fn fn, void *arg)
{
	struct kmnl_wait w = { .fn = fn, .arg = arg };
	int ret;

	nl->error[0] = 0;
	nl->dump_changed = 0;
	if (!msg)
		return kmnl_fail(nl, -ENOMEM, "out of memory");
	w.request = nlmsg_hdr(msg);
	ret = transmit(nl, msg, flags);
	if (!ret)
		ret = kmnl_answer_wait(nl, &w);
	nlmsg_free(msg);
	if (ret < 0 && !nl->error[0])
		kmnl_fail(nl, ret, "%s", strerror(-ret));
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
		return kmnl_fail(nl, -ENOMEM, "out of memory");
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
		return kmnl_fail(nl, -ENOENT,
				 "the module has no events: it is of another version");
	ret = nl_socket_add_membership(nl->sk, group);
	if (ret < 0)
		return kmnl_fail(nl, -EPERM, "cannot subscribe to events: %s",
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
