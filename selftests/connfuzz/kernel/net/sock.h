/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_NET_SOCK_H
#define CONNFUZZ_NET_SOCK_H

#include <linux/mm.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <net/net_namespace.h>
#include <net/tcp_states.h>

#define RCV_SHUTDOWN		1
#define SEND_SHUTDOWN		2
#define SK_USER_DATA_NOCOPY	1
#define SOCK_RCVBUF_LOCK	2
#define NETIF_F_SG		1

struct shim_peer;

struct proto {
	int (*sendmsg)(struct sock *sk, struct msghdr *msg, size_t size);
	int (*recvmsg)(struct sock *sk);
};

struct sock {
	int sk_family;
	int sk_state;
	int sk_err;
	int sk_shutdown;
	int sk_rcvbuf;
	int sk_sndbuf;
	u8 sk_userlocks;
	u32 sk_wmem_queued;
	u32 sk_route_caps;
	gfp_t sk_allocation;
	bool sk_net_refcnt;
	rwlock_t sk_callback_lock;
	spinlock_t lock;
	struct sk_buff_head { spinlock_t lock; } sk_receive_queue;
	void *sk_user_data;
	const struct proto *sk_prot;
	struct page_frag sk_frag;
	void (*sk_data_ready)(struct sock *sk);
	void (*sk_write_space)(struct sock *sk);
	void (*sk_state_change)(struct sock *sk);
	struct net *net;
	struct socket *socket;
	const struct cred *sk_peer_cred;	/* of a Unix socket */
	struct pid *sk_peer_pid;
	struct shim_peer *peer;
	u16 port;
	struct list_head backlog;	/* of a listener */
	struct list_head waiting;	/* in it */
};

#define rcu_dereference_sk_user_data(sk)	\
	rcu_dereference((sk)->sk_user_data)
#define rcu_assign_sk_user_data(sk, ptr)	\
	rcu_assign_pointer((sk)->sk_user_data, ptr)
#define __rcu_assign_sk_user_data_with_flags(sk, ptr, flags)	\
	rcu_assign_pointer((sk)->sk_user_data, ptr)

#define bh_lock_sock(sk)	spin_lock(&(sk)->lock)
#define bh_unlock_sock(sk)	spin_unlock(&(sk)->lock)

static inline struct net *sock_net(const struct sock *sk)
{
	return sk->net;
}

/* Of a process there is none, here. */
static inline struct page_frag *sk_page_frag(struct sock *sk)
{
	return &sk->sk_frag;
}

void lock_sock(struct sock *sk);
void release_sock(struct sock *sk);
bool sock_owned_by_user(struct sock *sk);
/* Of a Unix socket. */
static inline int sk_wmem_alloc_get(const struct sock *sk)
{
	return sk->sk_wmem_queued;
}

bool sk_stream_is_writeable(const struct sock *sk);
bool sock_writeable(const struct sock *sk);
bool skb_queue_empty_lockless(const struct sk_buff_head *queue);
/* What has come is in one. */
#define skb_queue_len(queue)		(!skb_queue_empty_lockless(queue))
#define skb_queue_len_lockless(queue)	skb_queue_len(queue)

/* Nothing of what they would change is looked at. */
static inline void sock_no_linger(struct sock *sk)
{
	SHIM_CHECK(sk);
}

static inline void sock_set_keepalive(struct sock *sk)
{
	SHIM_CHECK(sk);
}

static inline void sock_set_reuseaddr(struct sock *sk)
{
	SHIM_CHECK(sk);
}

static inline void sock_inuse_add(struct net *net, int value)
{
	(void)net;
	(void)value;
}

#endif
