// SPDX-License-Identifier: GPL-2.0
/*
 * What is laid out in a batch, into the socket: what lies in pages is handed over
 * with a reference to them, all else is copied. Where one may not sleep it is TCP
 * as its own softirqs have it.
 */
#include <linux/mm.h>
#include <linux/percpu.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "batch.h"
#include "broker.h"
#include "compat.h"
#include "conn.h"
#include "transport.h"

/*
 * Bytes in one go with bottom halves disabled: a bound to the time, and to what is
 * taken from the reserves for atomic allocations.
 */
#define KMQTT_PUSH_ATOMIC	65536
#define KMQTT_PUSH_FLAGS	(MSG_DONTWAIT | MSG_NOSIGNAL)

/* Pieces of a batch in one call, as many as it takes for 64 KiB in segments. */
#define KMQTT_PUSH_PIECES	16
/* Bytes copied in between those in pages: a page always has room for them. */
#define KMQTT_PUSH_COPY		2048

/**
 * struct kmqtt_stretch - what goes in one call
 * @first: of the pieces of a batch
 * @nr: how many
 * @bytes: in them
 * @copy: of these, not in pages
 * @flags: for the call
 */
struct kmqtt_stretch {
	u32 first;
	u32 nr;
	size_t bytes;
	size_t copy;
	int flags;
};

/*
 * Where the bytes sent with bottom halves disabled are copied to. TCP uses a page
 * fragment of the socket's there, which would be 32 KiB for every idle client; as
 * it is with PREEMPT_RT, where such sections may interrupt each other.
 */
static DEFINE_PER_CPU(struct page_frag, kmqtt_push_frag);

static void kmqtt_stretch_add(struct kmqtt_stretch *stretch, size_t len,
			      bool paged)
{
	stretch->nr++;
	stretch->bytes += len;
	if (!paged)
		stretch->copy += len;
}

/*
 * From piece @first of @batch on: those in pages and what is short between them,
 * or what is longer alone.
 */
static void kmqtt_stretch_set(struct kmqtt_stretch *stretch,
			      const struct kmqtt_batch *batch, u32 first)
{
	u32 i = first;
	size_t len;
	bool paged;

	*stretch = (struct kmqtt_stretch){
		.first = first,
		.flags = KMQTT_PUSH_FLAGS,
	};
	do {
		len = batch->vec[i].iov_len;
		paged = test_bit(i, batch->paged);
		if (i > first && !paged &&
		    stretch->copy + len > KMQTT_PUSH_COPY)
			break;
		kmqtt_stretch_add(stretch, len, paged);
		i++;
	} while (i < batch->nr_vec && stretch->nr < KMQTT_PUSH_PIECES &&
		 stretch->copy <= KMQTT_PUSH_COPY);
	/* A head and its payload are not to leave in two segments. */
	if (i < batch->nr_vec)
		stretch->flags |= MSG_MORE;
}

/* The rest is under the lock of @sk, which is TCP's. Return: as sendmsg(). */

static int kmqtt_push_copied(struct sock *sk, struct kvec *vec, u32 nr,
			     size_t bytes, int flags)
{
	struct msghdr msg = { .msg_flags = flags };

	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, vec, nr, bytes);
	return tcp_sendmsg_locked(sk, &msg, bytes);
}

static void kmqtt_piece_set(struct bio_vec *piece, const struct kvec *vec)
{
	struct page *page = virt_to_head_page(vec->iov_base);

	*piece = (struct bio_vec){
		.bv_page = page,
		.bv_offset = vec->iov_base - page_address(page),
		.bv_len = vec->iov_len,
	};
}

/* To where TCP itself would copy it. */
static void kmqtt_piece_copy(struct bio_vec *piece, const struct kvec *vec,
			     struct page_frag *frag)
{
	*piece = (struct bio_vec){
		.bv_page = frag->page,
		.bv_offset = frag->offset,
		.bv_len = vec->iov_len,
	};
	memcpy(page_address(frag->page) + frag->offset, vec->iov_base,
	       vec->iov_len);
	frag->offset += vec->iov_len;
}

static int kmqtt_push_pages(struct sock *sk, const struct kmqtt_batch *batch,
			    const struct kmqtt_stretch *stretch)
{
	struct page_frag *frag = sk_page_frag(sk);
	struct bio_vec pieces[KMQTT_PUSH_PIECES];
	const struct kvec *vec = batch->vec + stretch->first;
	struct page *page = NULL;
	int ret;
	u32 i;

	/* Once: what is not referred to yet would be room for the next. */
	if (stretch->copy &&
	    !skb_page_frag_refill(stretch->copy, frag, sk->sk_allocation))
		return -ENOMEM;
	/*
	 * Nor is it room for TCP, which copies if the route changes meanwhile to
	 * one without scatter-gather.
	 */
	if (stretch->copy) {
		page = frag->page;
		get_page(page);
	}
	for (i = 0; i < stretch->nr; i++, vec++) {
		if (test_bit(stretch->first + i, batch->paged))
			kmqtt_piece_set(pieces + i, vec);
		else
			kmqtt_piece_copy(pieces + i, vec, frag);
	}
	ret = kmqtt_compat_send_pages(sk, pieces, stretch->nr, stretch->bytes,
				      stretch->flags);
	if (page)
		put_page(page);
	return ret;
}

static int kmqtt_push_stretches(struct sock *sk, struct kmqtt_batch *batch)
{
	struct kmqtt_stretch stretch;
	u32 i = batch->vec_done;
	int sent = 0, ret;

	do {
		kmqtt_stretch_set(&stretch, batch, i);
		if (stretch.copy > KMQTT_PUSH_COPY)
			ret = kmqtt_push_copied(sk, batch->vec + i, stretch.nr,
						stretch.bytes, stretch.flags);
		else
			ret = kmqtt_push_pages(sk, batch, &stretch);
		if (ret < 0)
			return sent ?: ret;
		sent += ret;
		i += stretch.nr;
	} while (ret == stretch.bytes && i < batch->nr_vec);
	return sent;
}

static int kmqtt_push_locked(struct sock *sk, struct kmqtt_batch *batch)
{
	/*
	 * A route without scatter-gather has pages copied by TCP, to where it has
	 * its own fragment: that would be what is copied between them.
	 */
	if (batch->nr_paged && sk->sk_route_caps & NETIF_F_SG)
		return kmqtt_push_stretches(sk, batch);
	return kmqtt_push_copied(sk, batch->vec + batch->vec_done,
				 batch->nr_vec - batch->vec_done, batch->bytes,
				 KMQTT_PUSH_FLAGS);
}

/* A socket that is not plain TCP (kTLS) needs its own sendmsg. */
static bool kmqtt_push_is_tcp(const struct sock *sk)
{
	return READ_ONCE(sk->sk_prot)->sendmsg == tcp_sendmsg;
}

/*
 * As MPTCP sends from its subflows: under the socket's spinlock, if no user
 * owns it. Return: as sendmsg(), -EBUSY: not here.
 */
static int kmqtt_push_atomic(struct sock *sk, struct kmqtt_batch *batch)
{
	struct page_frag *frag = this_cpu_ptr(&kmqtt_push_frag);
	gfp_t allocation;
	int ret = -EBUSY;
	bool task_frag;

	if (!kmqtt_push_is_tcp(sk))
		return ret;
	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk)) {
		allocation = sk->sk_allocation;
		sk->sk_allocation = GFP_ATOMIC;
		task_frag = kmqtt_compat_set_task_frag(sk, false);
		if (!IS_ENABLED(CONFIG_PREEMPT_RT))
			swap(sk->sk_frag, *frag);
		ret = kmqtt_push_locked(sk, batch);
		if (!IS_ENABLED(CONFIG_PREEMPT_RT))
			swap(sk->sk_frag, *frag);
		kmqtt_compat_set_task_frag(sk, task_frag);
		sk->sk_allocation = allocation;
	}
	bh_unlock_sock(sk);
	return ret;
}

static int kmqtt_push_sleeping(struct kmqtt_conn *conn,
			       struct kmqtt_batch *batch)
{
	struct sock *sk = conn->sock->sk;
	int ret;

	if (!batch->nr_paged || !kmqtt_push_is_tcp(sk))
		return kmqtt_transport_send(conn, batch->vec + batch->vec_done,
					    batch->nr_vec - batch->vec_done,
					    batch->bytes);
	lock_sock(sk);
	ret = kmqtt_push_locked(sk, batch);
	release_sock(sk);
	return ret;
}

/* Return: as sendmsg(), -EBUSY. */
static int kmqtt_push_some(struct kmqtt_conn *conn, struct kmqtt_batch *batch,
			   gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp))
		return kmqtt_push_sleeping(conn, batch);
	if (batch->bytes > KMQTT_PUSH_ATOMIC)
		return -EBUSY;
	if (kmqtt_transport_is_unix(conn))
		return kmqtt_transport_send_nowait(conn, batch->vec +
						   batch->vec_done,
						   batch->nr_vec -
						   batch->vec_done,
						   batch->bytes);
	return kmqtt_push_atomic(conn->sock->sk, batch);
}

int kmqtt_push(struct kmqtt_conn *conn, struct kmqtt_batch *batch, gfp_t gfp)
{
	struct kvec *vec = batch->vec + batch->vec_done;
	int sent = kmqtt_push_some(conn, batch, gfp);

	if (sent < 0) {
		/* An owned socket says nothing of TCP's memory. */
		if (sent == -EAGAIN)
			batch->barren = min(batch->barren + 1, 2);
		return sent;
	}
	batch->barren = 0;
	conn->bytes_out += sent;
	kmqtt_stat_add(conn->broker, KMQTT_STAT_BYTES_SENT, sent);
	batch->bytes -= sent;
	while (sent && sent >= vec->iov_len) {
		sent -= vec->iov_len;
		vec++;
	}
	if (sent) {
		vec->iov_base += sent;
		vec->iov_len -= sent;
	}
	batch->vec_done = vec - batch->vec;
	return batch->bytes ? -EAGAIN : 0;
}

void kmqtt_push_uninit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		if (per_cpu(kmqtt_push_frag, cpu).page)
			put_page(per_cpu(kmqtt_push_frag, cpu).page);
	}
}
