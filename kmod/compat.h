/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels we build for: the only version tests. */
#ifndef KMQTT_COMPAT_H
#define KMQTT_COMPAT_H

#include <linux/bvec.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/uio.h>
#include <linux/version.h>
#include <linux/workqueue.h>
#include <net/af_unix.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "kmqtt needs Linux 6.1 or newer"
#endif

/*
 * A workqueue of each CPU's own was what one got; newer kernels want it said,
 * which 6.18 and all after it know how to.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define KMQTT_COMPAT_WQ_PERCPU	WQ_PERCPU
#else
#define KMQTT_COMPAT_WQ_PERCPU	0
#endif

/* From 6.13 on a timer and its function are set up together. */
static inline void
kmqtt_compat_hrtimer_setup(struct hrtimer *timer,
			   enum hrtimer_restart (*function)(struct hrtimer *),
			   clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, function, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = function;
#endif
}

/* 6.19 made the address of a kernel bind a sockaddr_unsized. */
static inline int kmqtt_compat_bind(struct socket *sock,
				    struct sockaddr_storage *addr, int len)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	return kernel_bind(sock, (struct sockaddr_unsized *)addr, len);
#else
	return kernel_bind(sock, (struct sockaddr *)addr, len);
#endif
}

/*
 * A socket that is closed while its peer has not acknowledged everything
 * lives on in TCP's timers: it must then hold its namespace. (Newer kernels
 * have sk_net_refcnt_upgrade(); 6.1 and early 6.12 have not.) A namespace
 * that is already going away cannot be held: the connection is reset then.
 */
static inline void kmqtt_compat_hold_net(struct sock *sk)
{
	struct net *net = sock_net(sk);

	if (sk->sk_net_refcnt)
		return;
	if (!maybe_get_net(net)) {
		sock_no_linger(sk);
		return;
	}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
	sk_net_refcnt_upgrade(sk);
#else
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	__netns_tracker_free(net, &sk->ns_tracker, false);
#endif
	sk->sk_net_refcnt = 1;
	get_net_track(net, &sk->ns_tracker, GFP_KERNEL);
	sock_inuse_add(net, 1);
#endif
	put_net(net);
}

/*
 * With bottom halves disabled %current may be anybody, interrupted while it fills
 * its own page fragment: TCP is to use the socket's. 6.1 does with GFP_ATOMIC.
 * The socket's lock is held. Return: what to set again.
 */
static inline bool kmqtt_compat_set_task_frag(struct sock *sk, bool use)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	bool used = sk->sk_use_task_frag;

	sk->sk_use_task_frag = use;
	return used;
#else
	return use;
#endif
}

/*
 * Does a Unix socket's sendmsg() never sleep, if neither its memory nor its flags
 * let it? Before 6.8, and what was backported since, it waited for the collection
 * of descriptors in flight; from 6.17 on it allocates, if its peer asks for
 * credentials.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define KMQTT_COMPAT_UNIX_NOWAIT	false
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define KMQTT_COMPAT_UNIX_NOWAIT	true
#else
#define KMQTT_COMPAT_UNIX_NOWAIT					\
	__builtin_types_compatible_p(typeof(wait_for_unix_gc),		\
				     void (struct scm_fp_list *))
#endif

/*
 * Send @bytes in @pieces[@nr] by references to their pages, not by copying them. @sk
 * is TCP's and locked. Return: as sendmsg().
 */
static inline int kmqtt_compat_send_pages(struct sock *sk,
					  struct bio_vec *pieces, u32 nr,
					  size_t bytes, int flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	struct msghdr msg = { .msg_flags = flags | MSG_SPLICE_PAGES };

	iov_iter_bvec(&msg.msg_iter, ITER_SOURCE, pieces, nr, bytes);
	return tcp_sendmsg_locked(sk, &msg, bytes);
#else
	int sent = 0, ret = 0, more = MSG_MORE | MSG_SENDPAGE_NOTLAST;
	u32 i;

	for (i = 0; i < nr; i++) {
		if (i == nr - 1)
			more = 0;
		ret = tcp_sendpage_locked(sk, pieces[i].bv_page,
					  pieces[i].bv_offset, pieces[i].bv_len,
					  flags | more);
		if (ret < 0)
			break;
		sent += ret;
		/* Where it is full TCP has begun to send. */
		if (ret < pieces[i].bv_len)
			break;
	}
	return sent ?: ret;
#endif
}

/* Attributes of a dump request, in its start, dump and done callbacks. */
static inline struct nlattr **
kmqtt_compat_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* Before 6.1.66, a group's flag to that effect was called as that of ops. */
#ifndef GENL_MCAST_CAP_NET_ADMIN
#define GENL_MCAST_CAP_NET_ADMIN	GENL_UNS_ADMIN_PERM
#endif

#endif
