// SPDX-License-Identifier: GPL-2.0
/*
 * Moderation. A run of the io work that is alone sends what it has for
 * subscribers when it ends, so a single message waits for nothing. While other
 * connections of this CPU have input that is not read yet, it leaves its flush
 * list here instead: what their runs add for the same subscribers then goes in
 * the same send. The work that sends it all is queued behind them.
 *
 * No timer and no tunable: it is the input at hand that is gathered, for at
 * most KMQTT_RUN_TIME.
 */
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "broker.h"
#include "compat.h"
#include "conn.h"
#include "datapath.h"
#include "express.h"

/**
 * struct kmqtt_gather - of a CPU
 * @expected: io works queued here that have not begun; may be off by those
 *	that are queued just as they begin, never for long
 * @lock: guards what follows; process context, innermost
 * @dirty: flush list, as in struct kmqtt_run
 * @until: jiffies when it is sent at the latest
 * @work: sends it
 */
struct kmqtt_gather {
	atomic_t expected;
	spinlock_t lock;
	struct list_head dirty;
	unsigned long until;
	struct work_struct work;
};

static DEFINE_PER_CPU(struct kmqtt_gather, kmqtt_gathers);
/*
 * Of its own, so that io works which sleep do not use up what may run at once;
 * its items come behind theirs all the same: the CPU's workers are shared.
 */
static struct workqueue_struct *kmqtt_gather_wq;

void kmqtt_gather_expect(struct kmqtt_conn *conn)
{
	int cpu = raw_smp_processor_id();

	if (cmpxchg(&conn->expected_at, -1, cpu) == -1)
		atomic_inc(&per_cpu(kmqtt_gathers, cpu).expected);
}

void kmqtt_gather_arrived(struct kmqtt_conn *conn)
{
	int cpu = xchg(&conn->expected_at, -1);

	if (cpu >= 0)
		atomic_dec(&per_cpu(kmqtt_gathers, cpu).expected);
}

bool kmqtt_gather_expects(void)
{
	return atomic_read(&raw_cpu_ptr(&kmqtt_gathers)->expected) > 0;
}

/* Return: true if @run's list is left here, false: all is in @run now. */
static bool kmqtt_gather_leave(struct kmqtt_gather *gather,
			       struct kmqtt_run *run, bool may)
{
	bool empty, left = false;

	spin_lock(&gather->lock);
	empty = list_empty(&gather->dirty);
	if (empty)
		gather->until = jiffies + KMQTT_RUN_TIME;
	if (may && atomic_read(&gather->expected) > 0 &&
	    !time_after(jiffies, gather->until)) {
		list_splice_tail_init(&run->dirty, &gather->dirty);
		left = true;
	} else {
		list_splice_init(&gather->dirty, &run->dirty);
	}
	spin_unlock(&gather->lock);
	if (left && empty)
		queue_work(kmqtt_gather_wq, &gather->work);
	return left;
}

void kmqtt_gather_end(struct kmqtt_run *run)
{
	struct kmqtt_gather *gather = raw_cpu_ptr(&kmqtt_gathers);

	/* With nothing of its own it may be the one that comes in time. */
	if (list_empty(&run->dirty) && list_empty_careful(&gather->dirty))
		return;
	if (!kmqtt_gather_leave(gather, run, true))
		kmqtt_send_flush(run);
}

void kmqtt_gather_flush(struct kmqtt_run *run)
{
	kmqtt_gather_leave(raw_cpu_ptr(&kmqtt_gathers), run, false);
	kmqtt_send_flush(run);
}

static void kmqtt_gather_work(struct work_struct *work)
{
	struct kmqtt_gather *gather = container_of(work, struct kmqtt_gather,
						   work);
	struct kmqtt_run run;

	kmqtt_run_init(&run, NULL);
	kmqtt_gather_leave(gather, &run, false);
	kmqtt_send_flush(&run);
}

int kmqtt_gather_init(void)
{
	struct kmqtt_gather *gather;
	int cpu;

	kmqtt_gather_wq = alloc_workqueue("kmqtt_gather", WQ_MEM_RECLAIM |
					  KMQTT_COMPAT_WQ_PERCPU, 0);
	if (!kmqtt_gather_wq)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		gather = &per_cpu(kmqtt_gathers, cpu);
		spin_lock_init(&gather->lock);
		INIT_LIST_HEAD(&gather->dirty);
		INIT_WORK(&gather->work, kmqtt_gather_work);
	}
	return 0;
}

void kmqtt_gather_uninit(void)
{
	destroy_workqueue(kmqtt_gather_wq);
}
