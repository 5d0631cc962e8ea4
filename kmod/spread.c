// SPDX-License-Identifier: GPL-2.0
/*
 * A fan-out to many is sent by more than one processor. Whoever has a long flush
 * list lays it out here, the beginning while he is still making it, and takes it back
 * in small pieces; helpers, which are workers of no processor in particular, take from
 * it likewise. If all processors are busy they come too late and find nothing.
 *
 * Which of them sends to a connection does not matter: what is due to it stands
 * in its session's queue, in order, and one at a time sends (kmqtt_send_kick()).
 */
#include "spread.h"

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "conn.h"
#include "strip.h"

/* Helpers of one list. */
#define KMQTT_SPREAD_HELPERS	3
/* Connections in a piece: who is kept from sending keeps no more waiting. */
#define KMQTT_SPREAD_PIECE	8

struct kmqtt_spread;

/**
 * struct kmqtt_helper - sends what another has laid out
 * @work: does
 * @spread: where it is laid out
 */
struct kmqtt_helper {
	struct work_struct work;
	struct kmqtt_spread *spread;
};

/**
 * struct kmqtt_spread - of a CPU: what runs there have laid out
 * @lock: guards @dirty; process context, innermost
 * @helping: helpers that may have connections
 * @dirty: flush list, as in struct kmqtt_run; empty when the last of those has
 *	done who laid it out
 * @helpers: who takes from it, too
 */
struct kmqtt_spread {
	spinlock_t lock;
	atomic_t helping;
	struct list_head dirty;
	struct kmqtt_helper helpers[KMQTT_SPREAD_HELPERS];
};

static DEFINE_PER_CPU(struct kmqtt_spread, kmqtt_spreads);
static struct workqueue_struct *kmqtt_spread_wq;

/* Where @run has laid out, or else would: it may have moved to another CPU. */
static struct kmqtt_spread *kmqtt_spread_of(const struct kmqtt_run *run)
{
	return run->spread ?: raw_cpu_ptr(&kmqtt_spreads);
}

static bool kmqtt_spread_worth(const struct kmqtt_run *run)
{
	const struct list_head *pos;
	u32 nr = 0;

	if (num_online_cpus() == 1)
		return false;
	list_for_each(pos, &run->dirty) {
		if (++nr == KMQTT_SPREAD_MIN)
			return true;
	}
	return false;
}

/* Return: false if nothing is left. */
static bool kmqtt_spread_take(struct kmqtt_spread *spread,
			      struct kmqtt_run *run)
{
	u32 nr;

	spin_lock(&spread->lock);
	for (nr = 0; nr < KMQTT_SPREAD_PIECE && !list_empty(&spread->dirty); nr++)
		list_move_tail(spread->dirty.next, &run->dirty);
	spin_unlock(&spread->lock);
	return nr;
}

static void kmqtt_spread_work(struct work_struct *work)
{
	struct kmqtt_helper *helper = container_of(work, struct kmqtt_helper,
						   work);
	struct kmqtt_spread *spread = helper->spread;
	struct kmqtt_run run;

	kmqtt_run_init(&run, NULL);
	atomic_inc(&spread->helping);
	while (!kmqtt_run_spent(&run) && kmqtt_spread_take(spread, &run))
		kmqtt_send_chunks(&run);
	kmqtt_strip_drop(&run);
	atomic_dec(&spread->helping);
	/* Again, so that who waits for us, and other works, do not wait for all. */
	if (!list_empty_careful(&spread->dirty))
		queue_work(kmqtt_spread_wq, work);
}

/* @call: helpers; those who were called before go on. */
static void kmqtt_spread_lay(struct kmqtt_run *run, bool call)
{
	struct kmqtt_spread *spread = kmqtt_spread_of(run);
	u32 i, nr;

	run->spread = spread;
	run->wide = true;
	spin_lock(&spread->lock);
	list_splice_tail_init(&run->dirty, &spread->dirty);
	spin_unlock(&spread->lock);
	nr = call ? min_t(u32, num_online_cpus() - 1, KMQTT_SPREAD_HELPERS) : 0;
	for (i = 0; i < nr; i++)
		queue_work(kmqtt_spread_wq, &spread->helpers[i].work);
}

void kmqtt_spread_begin(struct kmqtt_run *run)
{
	if (kmqtt_spread_worth(run))
		kmqtt_spread_lay(run, true);
}

/* Did @run, or another that has not come to its end, lay out what it needs sent? */
static bool kmqtt_spread_begun(const struct kmqtt_run *run)
{
	return run->spread ||
	       (run->full && !list_empty_careful(&kmqtt_spread_of(run)->dirty));
}

bool kmqtt_spread_flush(struct kmqtt_run *run)
{
	bool worth = kmqtt_spread_worth(run);

	if (!worth && !kmqtt_spread_begun(run))
		return false;
	kmqtt_spread_lay(run, worth);
	/* What others of this CPU lay out meanwhile is sent, too, by both of us. */
	while (kmqtt_spread_take(run->spread, run))
		kmqtt_send_chunks(run);
	return true;
}

void kmqtt_spread_wait(struct kmqtt_run *run)
{
	struct kmqtt_spread *spread = kmqtt_spread_of(run);
	u32 i;

	/* One that begins later finds nothing of ours. */
	if (!atomic_read(&spread->helping))
		return;
	for (i = 0; i < KMQTT_SPREAD_HELPERS; i++)
		cancel_work_sync(&spread->helpers[i].work);
}

int kmqtt_spread_init(void)
{
	struct kmqtt_spread *spread;
	int cpu, i;

	/* Those who lay out may wait for it, and are needed to free memory. */
	kmqtt_spread_wq = alloc_workqueue("kmqtt_spread", WQ_UNBOUND |
					  WQ_MEM_RECLAIM, 0);
	if (!kmqtt_spread_wq)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		spread = &per_cpu(kmqtt_spreads, cpu);
		spin_lock_init(&spread->lock);
		INIT_LIST_HEAD(&spread->dirty);
		for (i = 0; i < KMQTT_SPREAD_HELPERS; i++) {
			INIT_WORK(&spread->helpers[i].work, kmqtt_spread_work);
			spread->helpers[i].spread = spread;
		}
	}
	return 0;
}

void kmqtt_spread_uninit(void)
{
	destroy_workqueue(kmqtt_spread_wq);
}
