// SPDX-License-Identifier: GPL-2.0
/*
 * Moderation. A run of the io work that is alone sends what it has for
 * subscribers when it ends, so a single message waits for nothing. While other
 * connections of this CPU have input that is not read yet, it leaves its flush
 * list here instead: what their runs add for the same subscribers then goes in
 * the same send. The work that sends it all is queued behind them, so that it is
 * the input at hand that is gathered, for at most KMQTT_RUN_TIME.
 *
 * The softirq (express.c), which has no such queue to look at, leaves what is not
 * alone to a thread of the CPU that preempts nobody (SCHED_BATCH): who sends one
 * message after the other goes on until he waits for something. A CPU that has
 * other things to do is given KMQTT_GATHER_NS for them, and then a work, which
 * preempts, sends it there or elsewhere.
 *
 * The io work of a connection for which the last one found several packets waits for
 * that thread, too: it would preempt who sends them after the first. It may be given
 * more time, if what it then does takes long.
 *
 * No tunable: an idle CPU sends at once.
 */
#include "gather.h"

#include <linux/cpuhotplug.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/llist.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <uapi/linux/sched/types.h>
#include "broker.h"
#include "compat.h"
#include "conn.h"

/* Connections that are read next, at once: the lock is held meanwhile. */
#define KMQTT_GATHER_READS	32
/* How long the softirq's waits for a CPU that is busy (ns). */
#define KMQTT_GATHER_NS		(500 * NSEC_PER_USEC)
/*
 * Input of a connection whose bursts several processors send on waits longer: this
 * part of the time that the last one took, and so much at most (ns). It comes later by
 * little, and who begins with a part of it sends everybody as many parts.
 */
#define KMQTT_GATHER_PART	8
#define KMQTT_GATHER_MOST_NS	(10 * NSEC_PER_MSEC)

/**
 * struct kmqtt_gather - of a CPU
 * @expected: io works queued here that have not begun; may be off by those
 *	that are queued just as they begin, never for long
 * @lock: guards what follows; bottom halves disabled; inside are only the locks of
 *	the scheduler, of timers and of workqueues
 * @dirty: flush list, as in struct kmqtt_run
 * @inputs: connections that are to be read, referenced (KMQTT_CONN_EXPRESS)
 * @last: where the next one is added to them
 * @until: jiffies when it is sent at the latest, if the next io work is in time
 * @turn: counts the times that the softirq has found it empty
 * @crowded: the last of them in which more was added
 * @timed: the softirq's is in them, and @timer is set, or has queued @late; who
 *	empties them clears it before others can add to them
 * @wait: what it was last set to (ns)
 * @thread: sends, and has them read, when nobody else wants the CPU; NULL: there is
 *	none, or the CPU is offline, and @work sends
 * @timer: queues @late
 * @late: sends it on any CPU
 * @work: sends it behind the io works
 */
struct kmqtt_gather {
	atomic_t expected;
	spinlock_t lock;
	struct list_head dirty;
	struct llist_node *inputs;
	struct llist_node **last;
	unsigned long until;
	u16 turn;
	u16 crowded;
	bool timed;
	u32 wait;
	struct task_struct *thread;
	struct hrtimer timer;
	struct work_struct late;
	struct work_struct work;
};

static DEFINE_PER_CPU(struct kmqtt_gather, kmqtt_gathers);
/*
 * Of its own, so that io works which sleep do not use up what may run at once;
 * its items come behind theirs all the same: the CPU's workers are shared.
 */
static struct workqueue_struct *kmqtt_gather_wq;
/* Of no CPU: that one is busy. */
static struct workqueue_struct *kmqtt_gather_late_wq;
static int kmqtt_gather_state;

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

u32 kmqtt_gather_wait(unsigned long took)
{
	/* An eighth of a jiffy is about the least: that is fine enough. */
	return clamp_t(u64, jiffies_to_nsecs(took) / KMQTT_GATHER_PART,
		       KMQTT_GATHER_NS, KMQTT_GATHER_MOST_NS);
}

u32 kmqtt_gather_forget(u32 wait)
{
	wait /= 2;
	return wait < KMQTT_GATHER_NS ? 0 : wait;
}

/* The flush list is empty now. gather->lock held. */
static void kmqtt_gather_done(struct kmqtt_gather *gather)
{
	if (!gather->timed || gather->inputs)
		return;
	gather->timed = false;
	/* If it is too late the work finds nothing. */
	hrtimer_try_to_cancel(&gather->timer);
}

/* gather->lock held. */
static void kmqtt_gather_take(struct kmqtt_gather *gather, struct kmqtt_run *run)
{
	list_splice_init(&gather->dirty, &run->dirty);
	kmqtt_gather_done(gather);
}

/* Return: true if @run's list is left here, false: all is in @run now. */
static bool kmqtt_gather_leave(struct kmqtt_gather *gather,
			       struct kmqtt_run *run, bool may)
{
	bool empty, left = false;

	spin_lock_bh(&gather->lock);
	empty = list_empty(&gather->dirty);
	if (empty)
		gather->until = jiffies + KMQTT_RUN_TIME;
	if (may && atomic_read(&gather->expected) > 0 &&
	    !time_after(jiffies, gather->until)) {
		list_splice_tail_init(&run->dirty, &gather->dirty);
		left = true;
		/* What the softirq left is the thread's, which would be slow. */
		if (empty || gather->timed)
			queue_work(kmqtt_gather_wq, &gather->work);
	} else {
		kmqtt_gather_take(gather, run);
	}
	spin_unlock_bh(&gather->lock);
	return left;
}

/*
 * Somebody is to send what is in the list, in @wait ns, if nobody is about to.
 * gather->lock held.
 */
static void kmqtt_gather_wake(struct kmqtt_gather *gather, u32 wait)
{
	/* That of others ends no later than it would have. */
	if (gather->timed &&
	    (wait >= gather->wait ||
	     ns_to_ktime(wait) >= hrtimer_get_remaining(&gather->timer)))
		return;
	if (!gather->thread) {
		queue_work(kmqtt_gather_wq, &gather->work);
		return;
	}
	if (!gather->timed)
		wake_up_process(gather->thread);
	gather->timed = true;
	gather->wait = wait;
	hrtimer_start(&gather->timer, ns_to_ktime(wait),
		      HRTIMER_MODE_REL_PINNED_HARD);
}

bool kmqtt_gather_input(struct kmqtt_conn *conn)
{
	struct kmqtt_gather *gather = this_cpu_ptr(&kmqtt_gathers);
	u32 wait = READ_ONCE(conn->burst_wait);
	bool take;

	/*
	 * An idle CPU has nothing that would be preempted. (Where softirqs run in a
	 * thread that is not seen, and costs one more wake-up.)
	 */
	if (!wait || is_idle_task(current))
		return false;
	/* If it is on a list, it has not been looked at since. */
	if (test_and_set_bit(KMQTT_CONN_EXPRESS, &conn->flags))
		return true;
	spin_lock(&gather->lock);
	take = gather->thread;
	if (take) {
		kmqtt_conn_get(conn);
		conn->express.next = NULL;
		WRITE_ONCE(*gather->last, &conn->express);
		gather->last = &conn->express.next;
		kmqtt_gather_wake(gather, wait);
	}
	spin_unlock(&gather->lock);
	if (!take)
		clear_bit_unlock(KMQTT_CONN_EXPRESS, &conn->flags);
	return take;
}

/* Since @conn last left something here, nothing came behind anything. */
static bool kmqtt_gather_quiet(const struct kmqtt_gather *gather,
			       const struct kmqtt_conn *conn)
{
	return conn->gather_cpu == smp_processor_id() &&
	       (s16)(gather->crowded - conn->gather_turn) < 0;
}

bool kmqtt_gather_leave_bh(struct kmqtt_conn *conn, struct kmqtt_run *run)
{
	struct kmqtt_gather *gather = this_cpu_ptr(&kmqtt_gathers);
	bool first, alone;

	spin_lock(&gather->lock);
	first = list_empty(&gather->dirty);
	alone = first && kmqtt_gather_quiet(gather, conn);
	if (!first) {
		/* Whoever it is for may be in the list already. */
		gather->crowded = gather->turn;
	} else if (!list_empty(&run->dirty)) {
		gather->until = jiffies + KMQTT_RUN_TIME;
		gather->turn++;
		/* Or else it would seem to be still to come, once so far away. */
		if ((u16)(gather->turn - gather->crowded) > S16_MAX)
			gather->crowded = gather->turn - S16_MAX;
	}
	if (!list_empty(&run->dirty)) {
		list_splice_tail_init(&run->dirty, &gather->dirty);
		kmqtt_gather_wake(gather, KMQTT_GATHER_NS);
	}
	conn->gather_turn = gather->turn;
	conn->gather_cpu = smp_processor_id();
	spin_unlock(&gather->lock);
	return alone;
}

bool kmqtt_gather_waits(void)
{
	return !list_empty_careful(&raw_cpu_ptr(&kmqtt_gathers)->dirty);
}

void kmqtt_gather_end(struct kmqtt_run *run)
{
	struct kmqtt_gather *gather = raw_cpu_ptr(&kmqtt_gathers);

	/* With nothing of its own it may be the one that comes in time. */
	if (list_empty(&run->dirty) && list_empty_careful(&gather->dirty) &&
	    !run->spread)
		return;
	/* Helpers may be kept from the processor: they are not left alone with it. */
	if (!kmqtt_gather_leave(gather, run, !run->spread))
		kmqtt_send_flush(run);
}

/* A CPU may be kept from sending what was left there. */
static void kmqtt_gather_take_all(struct kmqtt_run *run)
{
	struct kmqtt_gather *gather;
	int cpu;

	for_each_online_cpu(cpu) {
		gather = &per_cpu(kmqtt_gathers, cpu);
		if (list_empty_careful(&gather->dirty))
			continue;
		spin_lock_bh(&gather->lock);
		kmqtt_gather_take(gather, run);
		spin_unlock_bh(&gather->lock);
	}
}

void kmqtt_gather_flush(struct kmqtt_run *run)
{
	if (run->full)
		kmqtt_gather_take_all(run);
	else
		kmqtt_gather_leave(raw_cpu_ptr(&kmqtt_gathers), run, false);
	kmqtt_send_flush(run);
}

/* Return: true if there are more. gather->lock held. */
static bool kmqtt_gather_read_some(struct kmqtt_gather *gather)
{
	struct kmqtt_conn *conn;
	u32 nr;

	for (nr = 0; nr < KMQTT_GATHER_READS && gather->inputs; nr++) {
		conn = llist_entry(gather->inputs, struct kmqtt_conn, express);
		WRITE_ONCE(gather->inputs, conn->express.next);
		/* Behind it the node may be on another list. */
		clear_bit_unlock(KMQTT_CONN_EXPRESS, &conn->flags);
		/* What came while it was set is seen by the io work. */
		smp_mb__after_atomic();
		kmqtt_conn_queue_io(conn);
		kmqtt_conn_put(conn);
	}
	if (!gather->inputs)
		gather->last = &gather->inputs;
	return gather->inputs;
}

static bool kmqtt_gather_take_some(void *from, struct kmqtt_run *run)
{
	struct kmqtt_gather *gather = from;
	bool left;
	/* There one is preempted in spite of all. */
	u32 most = IS_ENABLED(CONFIG_PREEMPT_RT) ? 1 : KMQTT_TX_CHUNK, nr;

	spin_lock(&gather->lock);
	left = kmqtt_gather_read_some(gather);
	for (nr = 0; nr < most && !list_empty(&gather->dirty); nr++)
		list_move_tail(gather->dirty.next, &run->dirty);
	left |= !list_empty(&gather->dirty);
	if (!left)
		kmqtt_gather_done(gather);
	spin_unlock(&gather->lock);
	return left;
}

/*
 * The thread is preempted by all others: what it has not come to stays where they
 * find it.
 */
static void kmqtt_gather_serve(struct kmqtt_gather *gather)
{
	kmqtt_send_taken(kmqtt_gather_take_some, gather);
}

static void kmqtt_gather_late_work(struct work_struct *work)
{
	kmqtt_gather_serve(container_of(work, struct kmqtt_gather, late));
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

static enum hrtimer_restart kmqtt_gather_timeout(struct hrtimer *timer)
{
	struct kmqtt_gather *gather = container_of(timer, struct kmqtt_gather,
						   timer);

	queue_work(kmqtt_gather_late_wq, &gather->late);
	return HRTIMER_NORESTART;
}

static int kmqtt_gather_thread(void *arg)
{
	struct kmqtt_gather *gather = arg;

	for (;;) {
		/* Before the looks that follow: who wakes us has done first. */
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		if (list_empty_careful(&gather->dirty) &&
		    !READ_ONCE(gather->inputs)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		kmqtt_gather_serve(gather);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int kmqtt_gather_online(unsigned int cpu)
{
	const struct sched_attr batch = {
		.size = sizeof(batch),
		.sched_policy = SCHED_BATCH,
	};
	struct kmqtt_gather *gather = &per_cpu(kmqtt_gathers, cpu);
	struct task_struct *thread;

	thread = kthread_create_on_cpu(kmqtt_gather_thread, gather, cpu,
				       "kmqtt_gather/%u");
	/* The work does it, too: that is no reason to have a CPU less. */
	if (IS_ERR(thread))
		return 0;
	/* Or else it preempts, which is no error either. */
	sched_setattr_nocheck(thread, &batch);
	wake_up_process(thread);
	spin_lock_bh(&gather->lock);
	gather->thread = thread;
	spin_unlock_bh(&gather->lock);
	return 0;
}

/*
 * If the CPU stays after all, before it gets here, the scheduler may have let the
 * thread go to others: then that is where it sends.
 */
static int kmqtt_gather_offline(unsigned int cpu)
{
	struct kmqtt_gather *gather = &per_cpu(kmqtt_gathers, cpu);
	struct task_struct *thread = gather->thread;

	spin_lock_bh(&gather->lock);
	gather->thread = NULL;
	spin_unlock_bh(&gather->lock);
	if (thread)
		kthread_stop(thread);
	/* What it had been woken for. */
	kmqtt_gather_serve(gather);
	return 0;
}

static void kmqtt_gather_setup(struct kmqtt_gather *gather)
{
	spin_lock_init(&gather->lock);
	INIT_LIST_HEAD(&gather->dirty);
	gather->last = &gather->inputs;
	INIT_WORK(&gather->late, kmqtt_gather_late_work);
	INIT_WORK(&gather->work, kmqtt_gather_work);
	kmqtt_compat_hrtimer_setup(&gather->timer, kmqtt_gather_timeout,
				   CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
}

int kmqtt_gather_init(void)
{
	int cpu, ret = -ENOMEM;

	kmqtt_gather_wq = alloc_workqueue("kmqtt_gather", WQ_MEM_RECLAIM |
					  KMQTT_COMPAT_WQ_PERCPU, 0);
	if (!kmqtt_gather_wq)
		return ret;
	kmqtt_gather_late_wq = alloc_workqueue("kmqtt_gather_late", WQ_UNBOUND |
					       WQ_MEM_RECLAIM, 0);
	if (!kmqtt_gather_late_wq)
		goto err_wq;
	for_each_possible_cpu(cpu)
		kmqtt_gather_setup(&per_cpu(kmqtt_gathers, cpu));
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "kmqtt:gather",
				kmqtt_gather_online, kmqtt_gather_offline);
	if (ret < 0)
		goto err_late_wq;
	kmqtt_gather_state = ret;
	return 0;

err_late_wq:
	destroy_workqueue(kmqtt_gather_late_wq);
err_wq:
	destroy_workqueue(kmqtt_gather_wq);
	return ret;
}

void kmqtt_gather_uninit(void)
{
	int cpu;

	cpuhp_remove_state(kmqtt_gather_state);
	for_each_possible_cpu(cpu)
		hrtimer_cancel(&per_cpu(kmqtt_gathers, cpu).timer);
	destroy_workqueue(kmqtt_gather_late_wq);
	destroy_workqueue(kmqtt_gather_wq);
}
