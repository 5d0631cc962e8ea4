/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_NET_H
#define CONNFUZZ_LINUX_NET_H

#include <fcntl.h>
#include <linux/in.h>

#define SOCK_NOSPACE	2

struct net;
struct sock;
struct socket;

/* Of a Unix socket, which no peer here comes through. */
struct proto_ops {
	int (*sendmsg)(struct socket *sock, struct msghdr *msg, size_t size);
	int (*recvmsg)(struct socket *sock, struct msghdr *msg, size_t size,
		       int flags);
};

struct socket {
	struct sock *sk;
	unsigned long flags;
	const struct proto_ops *ops;
};

int sock_create_kern(struct net *net, int family, int type, int protocol,
		     struct socket **res);
void sock_release(struct socket *sock);
int kernel_bind(struct socket *sock, struct sockaddr *addr, int len);
int kernel_listen(struct socket *sock, int backlog);
int kernel_accept(struct socket *sock, struct socket **res, int flags);
int kernel_getpeername(struct socket *sock, struct sockaddr *addr);
int kernel_recvmsg(struct socket *sock, struct msghdr *msg, struct kvec *vec,
		   size_t nr, size_t size, int flags);
int kernel_sendmsg(struct socket *sock, struct msghdr *msg, struct kvec *vec,
		   size_t nr, size_t size);
int kernel_sock_shutdown(struct socket *sock, int how);

#endif
