/* SPDX-License-Identifier: GPL-2.0 */
/*
 * genl_socket: what the files behind genl.h share, and nobody else sees
 *
 *	genl.c		opening a handle, sending requests
 *	genl_read.c	reading: answers, and notices, which answer nothing
 *	genl_kept.c	notices that came while a request waited
 *	genl_error.c	sentences about what went wrong
 *	genl_attr.c	the attributes' names and types
 */
#ifndef KMQTT_USER_GENL_SOCKET_H
#define KMQTT_USER_GENL_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include "genl.h"

struct kept;

/**
 * struct kmnl - a handle
 * @sk: libnl's socket
 * @family: number of the module's family
 * @port: our netlink address
 * @seq: of the last request
 * @dump_changed: what the last dump read changed meanwhile
 * @overrun: notices were lost, not yet reported by kmnl_read()
 * @congested: netlink said that there was no room for a message; until all
 *	that is queued was read, it may drop more of them without a word
 * @no_memory: the same, and nobody sends them again
 * @refused: errno of a kmnl_send() request, not yet reported either
 * @buf: datagram being read
 * @buf_size: bytes of @buf
 * @handler: gets notices
 * @handler_arg: for @handler
 * @kept: notices that came while a request waited, oldest first
 * @kept_last: where the next one goes
 * @kept_count: how many there are
 * @error: sentence for the last error
 */
struct kmnl {
	struct nl_sock *sk;
	int family;
	uint32_t port;
	uint32_t seq;
	int dump_changed;
	int overrun;
	int congested;
	int no_memory;
	int refused;
	char *buf;
	size_t buf_size;
	kmnl_fn handler;
	void *handler_arg;
	struct kept *kept;
	struct kept **kept_last;
	unsigned int kept_count;
	char error[512];
};

/**
 * struct kmnl_wait - a request that waits for its answer
 * @request: as it was sent
 * @fn: gets what is answered, or NULL
 * @arg: for @fn
 * @done: the end of the answer was read
 * @cut: a part of it was too long for the memory there is
 * @ret: 0, or the first errno: the kernel's, or @fn's
 */
struct kmnl_wait {
	const struct nlmsghdr *request;
	kmnl_fn fn;
	void *arg;
	int done;
	int cut;
	int ret;
};

/**
 * kmnl_answer_wait() - read until a request is answered
 * @nl: handle
 * @w: the request, which has been sent
 *
 * Return: 0, or negative errno; not each has its sentence yet. -ENOBUFS or
 * -ENOMEM if the answer, or a part of it, is lost.
 */
int kmnl_answer_wait(struct kmnl *nl, struct kmnl_wait *w);

/**
 * kmnl_keep() - keep a notice until kmnl_read() is called
 * @nl: handle, which notes it if there is no room
 * @nlh: the notice, which is copied
 */
void kmnl_keep(struct kmnl *nl, const struct nlmsghdr *nlh);

/**
 * kmnl_kept_take() - take the oldest notice that was kept
 * @nl: handle
 *
 * Return: the notice, to be freed by the caller, or NULL.
 */
struct nlmsghdr *kmnl_kept_take(struct kmnl *nl);

/** kmnl_kept_free() - forget notices that were kept, at a handle's end */
void kmnl_kept_free(struct kmnl *nl);

/**
 * kmnl_fail() - keep the sentence for an error
 * @nl: handle
 * @err: negative errno
 * @fmt: as of printf()
 *
 * Return: @err.
 */
__attribute__((format(printf, 3, 4)))
int kmnl_fail(struct kmnl *nl, int err, const char *fmt, ...);

/**
 * kmnl_explain() - what an answer's last message says
 * @nl: handle, which keeps the sentence if that is an error
 * @nlh: NLMSG_ERROR or NLMSG_DONE
 * @request: what it answers, to name the attribute that is wrong; NULL if
 *	that is not at hand
 *
 * Return: 0 or negative errno.
 */
int kmnl_explain(struct kmnl *nl, struct nlmsghdr *nlh,
		 const struct nlmsghdr *request);

/** kmnl_attr_policy() - types of all attributes, for nla_parse() */
const struct nla_policy *kmnl_attr_policy(void);

#endif /* KMQTT_USER_GENL_SOCKET_H */
