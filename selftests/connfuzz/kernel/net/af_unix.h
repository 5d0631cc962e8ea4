/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_NET_AF_UNIX_H
#define CONNFUZZ_NET_AF_UNIX_H

#include <linux/atomic.h>
#include <net/sock.h>

/* No peer here comes through one. */
struct unix_sock {
	struct sock sk;
	struct sock *peer;
	struct {
		atomic_t nr_fds;
	} scm_stat;
};

static inline struct unix_sock *unix_sk(const struct sock *sk)
{
	return (struct unix_sock *)sk;
}

#define unix_peer(sk)	(unix_sk(sk)->peer)

struct scm_fp_list;
void wait_for_unix_gc(struct scm_fp_list *fpl);

#endif
