/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_NET_IPV6_H
#define CONNFUZZ_NET_IPV6_H

#include <net/sock.h>

static inline void ip6_sock_set_v6only(struct sock *sk)
{
	SHIM_CHECK(sk);
}

static inline bool ipv6_addr_equal(const struct in6_addr *a,
				   const struct in6_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

#endif
