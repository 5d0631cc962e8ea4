// SPDX-License-Identifier: GPL-2.0
#include "nlsock.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/poll.h>

#include <linux/kmqtt.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON
#endif
#endif
#if defined(POISON) || defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)		((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n)	((void)(p), (void)(n))
#endif

#define SOCKETS		16
#define MESSAGE_MAX	(256 * 1024)

static struct socket {
	bool used;
	int fd;		/* the program's end */
	int peer;	/* ours */
	unsigned int groups;
	uint32_t port;
	unsigned int room;	/* for datagrams, of which */
	unsigned int waiting;	/* are there */
	bool overrun;		/* one did not fit: not yet said, */
	bool congested;		/* and there is still something to read */
} sockets[SOCKETS];

bool nlsock_loaded = true;

static struct socket *find(int fd)
{
	for (int i = 0; i < SOCKETS; i++) {
		if (sockets[i].used && sockets[i].fd == fd)
			return &sockets[i];
	}
	return NULL;
}

int socket(int domain, int type, int protocol)
{
	static uint32_t port = 4711;
	int fds[2];

	if (domain != AF_NETLINK)
		return syscall(SYS_socket, domain, type, protocol);
	for (int i = 0; i < SOCKETS; i++) {
		struct socket *s = &sockets[i];

		if (s->used)
			continue;
		if (syscall(SYS_socketpair, AF_UNIX,
			    SOCK_DGRAM | (type & SOCK_CLOEXEC), 0, fds))
			return -1;
		*s = (struct socket){ true, fds[0], fds[1], 0, port++,
				      UINT_MAX };
		return s->fd;
	}
	errno = EMFILE;
	return -1;
}

int close(int fd)
{
	struct socket *s = find(fd);

	if (s) {
		syscall(SYS_close, s->peer);
		s->used = false;
		nlsock_closed(fd);
	}
	return syscall(SYS_close, fd);
}

int bind(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	if (find(fd))
		return 0;
	return syscall(SYS_bind, fd, addr.__sockaddr__, len);
}

int getsockname(int fd, __SOCKADDR_ARG addr, socklen_t *restrict len)
{
	struct socket *s = find(fd);
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK };

	if (!s)
		return syscall(SYS_getsockname, fd, addr.__sockaddr__, len);
	nl.nl_pid = s->port;
	if (*len > sizeof(nl))
		*len = sizeof(nl);
	memcpy(addr.__sockaddr__, &nl, *len);
	return 0;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	struct socket *s = find(fd);

	if (!s || level != SOL_NETLINK)
		return syscall(SYS_setsockopt, fd, level, name, value, len);
	if (name == NETLINK_ADD_MEMBERSHIP)
		s->groups |= 1u << *(const int *)value;
	return 0;
}

int nlsock_member(unsigned int group)
{
	for (int i = 0; i < SOCKETS; i++) {
		if (sockets[i].used && sockets[i].groups & 1u << group)
			return sockets[i].fd;
	}
	return -1;
}

bool nlsock_push(int fd, const void *data, size_t size)
{
	struct socket *s = find(fd);

	if (!s || s->congested)
		return false;
	if (s->waiting < s->room &&
	    syscall(SYS_sendto, s->peer, data, size, MSG_DONTWAIT, NULL,
		    0) == (long)size) {
		s->waiting++;
		return true;
	}
	s->overrun = true;
	s->congested = true;
	return false;
}

void nlsock_lose(int fd)
{
	find(fd)->overrun = true;
}

void nlsock_room(int fd, unsigned int datagrams)
{
	find(fd)->room = datagrams;
}

/* what a read begins with: the notice that something did not fit */
static bool overrun_said(struct socket *s)
{
	if (!s->overrun)
		return false;
	s->overrun = false;
	s->congested = s->waiting;
	errno = ENOBUFS;
	return true;
}

static void datagram_gone(struct socket *s, int flags)
{
	if (flags & MSG_PEEK)
		return;
	s->waiting--;
	if (!s->waiting)
		s->congested = false;
}

/* room for the answer to a lookup */
struct answer {
	size_t size;
	_Alignas(struct nlmsghdr) char data[512];
};

static void put(struct answer *a, int type, const void *value, size_t len)
{
	struct nlattr nla = { NLA_HDRLEN + len, type };

	memcpy(a->data + a->size, &nla, sizeof(nla));
	memcpy(a->data + a->size + NLA_HDRLEN, value, len);
	a->size += NLA_ALIGN(NLA_HDRLEN + len);
}

static size_t nest(struct answer *a, int type)
{
	size_t at = a->size;

	put(a, type, "", 0);
	return at;
}

static void nest_end(struct answer *a, size_t at)
{
	((struct nlattr *)(a->data + at))->nla_len = a->size - at;
}

static void put_group(struct answer *a, const char *name, uint32_t id)
{
	size_t groups = nest(a, CTRL_ATTR_MCAST_GROUPS), one = nest(a, 1);

	put(a, CTRL_ATTR_MCAST_GRP_NAME, name, strlen(name) + 1);
	put(a, CTRL_ATTR_MCAST_GRP_ID, &id, sizeof(id));
	nest_end(a, one);
	nest_end(a, groups);
}

static void acknowledge(int fd, const struct nlmsghdr *request, int error)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
	} ack = {
		.nlh = { sizeof(ack), NLMSG_ERROR, 0, request->nlmsg_seq,
			 request->nlmsg_pid },
		.err = { .error = error, .msg = *request },
	};

	nlsock_push(fd, &ack, sizeof(ack));
}

static void look_up(int fd, const struct nlmsghdr *request)
{
	const char *name = (const char *)request + NLMSG_HDRLEN + GENL_HDRLEN +
			   NLA_HDRLEN;
	bool ctrl = !strcmp(name, "nlctrl");
	uint16_t id = ctrl ? GENL_ID_CTRL : NLSOCK_FAMILY;
	struct genlmsghdr gh = { .cmd = CTRL_CMD_NEWFAMILY, .version = 2 };
	struct nlmsghdr nlh = { 0, GENL_ID_CTRL, 0, request->nlmsg_seq,
				request->nlmsg_pid };
	struct answer a = { NLMSG_HDRLEN + GENL_HDRLEN };

	if (!ctrl && (!nlsock_loaded || strcmp(name, KMQTT_GENL_NAME))) {
		acknowledge(fd, request, -ENOENT);
		return;
	}
	memcpy(a.data + NLMSG_HDRLEN, &gh, sizeof(gh));
	put(&a, CTRL_ATTR_FAMILY_NAME, name, strlen(name) + 1);
	put(&a, CTRL_ATTR_FAMILY_ID, &id, sizeof(id));
	if (ctrl)
		put_group(&a, "notify", NLSOCK_NOTIFY);
	else
		put_group(&a, KMQTT_MCGRP_EVENTS, NLSOCK_EVENTS);
	nlh.nlmsg_len = a.size;
	memcpy(a.data, &nlh, sizeof(nlh));
	nlsock_push(fd, a.data, a.size);
	acknowledge(fd, request, 0);
}

static ssize_t take(int fd, const struct iovec *iov, size_t nr)
{
	static _Alignas(struct nlmsghdr) char message[MESSAGE_MAX];
	struct nlmsghdr *request = (struct nlmsghdr *)message;
	size_t size = 0;

	for (size_t i = 0; i < nr; i++) {
		if (size + iov[i].iov_len > sizeof(message)) {
			errno = EMSGSIZE;
			return -1;
		}
		memcpy(message + size, iov[i].iov_base, iov[i].iov_len);
		size += iov[i].iov_len;
	}
	/* one message each: nobody here sends more at a time */
	if (size < NLMSG_HDRLEN + GENL_HDRLEN || request->nlmsg_len > size)
		abort();
	if (request->nlmsg_type == GENL_ID_CTRL)
		look_up(fd, request);
	else
		nlsock_request(fd, request);
	return size;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (find(fd))
		return take(fd, msg->msg_iov, msg->msg_iovlen);
	return syscall(SYS_sendmsg, fd, msg, flags);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags,
	       __CONST_SOCKADDR_ARG addr, socklen_t len)
{
	struct iovec iov = { (void *)data, size };

	if (find(fd))
		return take(fd, &iov, 1);
	return syscall(SYS_sendto, fd, data, size, flags, addr.__sockaddr__,
		       len);
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	static const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct socket *s = find(fd);
	void *name = msg->msg_name;
	ssize_t ret;

	if (!s)
		return syscall(SYS_recvmsg, fd, msg, flags);
	if (overrun_said(s))
		return -1;
	msg->msg_name = NULL;
	ret = syscall(SYS_recvmsg, fd, msg, flags);
	if (ret >= 0)
		datagram_gone(s, flags);
	msg->msg_name = name;
	if (name)
		memcpy(name, &kernel, sizeof(kernel));
	msg->msg_namelen = sizeof(kernel);
	return ret;
}

/* What lies behind the datagram is none of the reader's business. */
ssize_t recvfrom(int fd, void *restrict data, size_t size, int flags,
		 __SOCKADDR_ARG addr, socklen_t *restrict len)
{
	struct socket *s = find(fd);
	ssize_t ret;

	if (!s)
		return syscall(SYS_recvfrom, fd, data, size, flags,
			       addr.__sockaddr__, len);
	if (overrun_said(s))
		return -1;
	if (data)
		ASAN_UNPOISON_MEMORY_REGION(data, size);
	ret = syscall(SYS_recvfrom, fd, data, size, flags, NULL, NULL);
	if (ret >= 0)
		datagram_gone(s, flags);
	if (data && ret >= 0 && (size_t)ret < size && !(flags & MSG_PEEK))
		ASAN_POISON_MEMORY_REGION((char *)data + ret, size - ret);
	return ret;
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	return recvfrom(fd, data, size, flags, NULL, NULL);
}

/*
 * Who would send is the thread that waits: what is not there does not come.
 * Not of <poll.h>, which has it that nothing is read of @fds.
 */
int poll(struct pollfd *fds, unsigned long nr, int timeout);
int poll(struct pollfd *fds, unsigned long nr, int timeout)
{
	static const char vain[] = "nlsock: it waits for what does not come\n";
	struct socket *s = nr == 1 ? find(fds->fd) : NULL;
	struct timespec limit = { 0 };
	int ready;

	if (s && s->overrun) {
		fds->revents = POLLERR;
		return 1;
	}
	if (!s && timeout > 0) {
		limit.tv_sec = timeout / 1000;
		limit.tv_nsec = timeout % 1000 * 1000000L;
	}
	ready = syscall(SYS_ppoll, fds, nr, s || timeout >= 0 ? &limit : NULL,
			NULL, 0);
	if (s && !ready && timeout) {
		if (write(STDERR_FILENO, vain, sizeof(vain) - 1) < 0)
			perror("stderr");
		abort();
	}
	return ready;
}
