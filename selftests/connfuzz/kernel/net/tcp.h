/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_NET_TCP_H
#define CONNFUZZ_NET_TCP_H

#include <net/sock.h>

int tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);
int tcp_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size);

static inline void tcp_sock_set_nodelay(struct sock *sk)
{
	SHIM_CHECK(sk);
}

#endif
