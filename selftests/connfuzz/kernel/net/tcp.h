/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_NET_TCP_H
#define CONNFUZZ_NET_TCP_H

#include <net/sock.h>

/* What is set in one goes nowhere. */
struct tcp_sock {
	u32 notsent_lowat;
	u32 window_clamp;
	u32 packets_out;
	u16 urg_data;
};

/* Of the sizes that they have. */
struct tcp6_sock {
	u8 bytes[2400];
};

struct socket_alloc {
	u8 bytes[768];
};

struct tcp_sock *tcp_sk(const struct sock *sk);

static inline int tcp_win_from_space(const struct sock *sk, int space)
{
	(void)sk;
	return space / 2;
}

int tcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);
int tcp_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t size);
int tcp_sendpage_locked(struct sock *sk, struct page *page, int offset,
			size_t size, int flags);

/* Bytes of a peer. */
struct sk_buff {
	const u8 *data;
	u32 len;
};

struct sk_buff *skb_peek(const struct sk_buff_head *queue);

typedef struct {
	union {
		void *data;
	} arg;
	size_t count;
} read_descriptor_t;

typedef int (*sk_read_actor_t)(read_descriptor_t *desc, struct sk_buff *skb,
			       unsigned int offset, size_t len);

#define inet_csk(sk)		(sk)
#define icsk_accept_queue	backlog
#define reqsk_queue_empty(queue)	list_empty(queue)

extern const struct proto tcp_prot;

int tcp_recvmsg(struct sock *sk);
int tcp_read_sock(struct sock *sk, read_descriptor_t *desc,
		  sk_read_actor_t actor);
int skb_copy_bits(const struct sk_buff *skb, int offset, void *to, int len);

static inline void tcp_sock_set_quickack(struct sock *sk, int val)
{
}

static inline void tcp_sock_set_nodelay(struct sock *sk)
{
	SHIM_CHECK(sk);
}

#endif
