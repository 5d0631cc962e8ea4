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
 * @lock: guards @dirty, @laid and @taken; process context, innermost
 * @laid: how many connections have ever been put into @dirty, at its end
 * @taken: how many have been taken from its front: those of a run are all taken when
 *	this is what @laid was when it had put them there
 * @helping: helpers that may have connections
 * @dirty: flush list, as in struct kmqtt_run; empty when the last of those has
 *	done who laid it out
 * @helpers: who takes from it, too
 */
struct kmqtt_spread {
	spinlock_t lock;
	u64 laid;
	u64 taken;
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

static u32 kmqtt_spread_count(const struct kmqtt_run *run)
{
	const struct list_head *pos;
	u32 nr = 0;

	list_for_each(pos, &run->dirty)
		nr++;
	return nr;
}

/* Are @nr connections worth a helper, and is there one? */
static bool kmqtt_spread_worth(u32 nr)
{
	return nr >= KMQTT_SPREAD_MIN && num_online_cpus() > 1;
}

/* @until: as many as are taken then are enough. Return: false if none is left. */
static bool kmqtt_spread_take(struct kmqtt_spread *spread,
			      struct kmqtt_run *run, u64 until)
{
	u32 nr;

	spin_lock(&spread->lock);
	for (nr = 0; nr < KMQTT_SPREAD_PIECE && spread->taken < until &&
	     !list_empty(&spread->dirty); nr++) {
		list_move_tail(spread->dirty.next, &run->dirty);
		spread->taken++;
	}
	spin_unlock(&spread->lock);
	return nr;
}

static void kmqtt_spread_call(struct kmqtt_spread *spread)
{
	u32 i, nr = min_t(u32, num_online_cpus() - 1, KMQTT_SPREAD_HELPERS);

	for (i = 0; i < nr; i++)
		queue_work(kmqtt_spread_wq, &spread->helpers[i].work);
}

static void kmqtt_spread_work(struct work_struct *work)
{
	struct kmqtt_helper *helper = container_of(work, struct kmqtt_helper,
						   work);
	struct kmqtt_spread *spread = helper->spread;
	struct kmqtt_run run;

	kmqtt_run_init(&run, NULL);
	atomic_inc(&spread->helping);
	while (!kmqtt_run_spent(&run) &&
	       kmqtt_spread_take(spread, &run, U64_MAX))
		kmqtt_send_chunks(&run);
	kmqtt_strip_drop(&run);
	atomic_dec(&spread->helping);
	/* Again, so that who waits for us, and other works, do not wait for all. */
	if (!list_empty_careful(&spread->dirty))
		queue_work(kmqtt_spread_wq, work);
}

/*
 * The @nr connections of @run; helpers who were called before go on in any case.
 * Return: how many are taken when all that stands there by now is.
 */
static u64 kmqtt_spread_lay(struct kmqtt_run *run, u32 nr)
{
	struct kmqtt_spread *spread = kmqtt_spread_of(run);
	u64 laid;

	run->spread = spread;
	spin_lock(&spread->lock);
	list_splice_tail_init(&run->dirty, &spread->dirty);
	spread->laid += nr;
	laid = spread->laid;
	spin_unlock(&spread->lock);
	if (kmqtt_spread_worth(nr)) {
		run->wide = true;
		kmqtt_spread_call(spread);
	}
	return laid;
}

void kmqtt_spread_begin(struct kmqtt_run *run)
{
	u32 nr = kmqtt_spread_count(run);

	if (kmqtt_spread_worth(nr))
		kmqtt_spread_lay(run, nr);
}

/* Did @run, or another that has not come to its end, lay out what it needs sent? */
static bool kmqtt_spread_begun(const struct kmqtt_run *run)
{
	return run->spread ||
	       (run->full && !list_empty_careful(&kmqtt_spread_of(run)->dirty));
}

bool kmqtt_spread_flush(struct kmqtt_run *run)
{
	u32 nr = kmqtt_spread_count(run);
	u64 until;

	if (!kmqtt_spread_worth(nr) && !kmqtt_spread_begun(run))
		return false;
	until = kmqtt_spread_lay(run, nr);
	/* Not what others of this CPU lay out meanwhile: that might never end. */
	while (kmqtt_spread_take(run->spread, run, until))
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
	/* They may have been called by others meanwhile, who go on without them. */
	if (!list_empty_careful(&spread->dirty))
		kmqtt_spread_call(spread);
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
