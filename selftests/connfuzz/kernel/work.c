// SPDX-License-Identifier: GPL-2.0
/* Workqueues and time. Works of all queues stand in one row. */
#include <stdlib.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/workqueue.h>
#include "shim.h"

struct workqueue_struct {
	bool draining;
};

unsigned long jiffies;
long shim_nr_queues;

static LIST_HEAD(pending);
static LIST_HEAD(timers);
static LIST_HEAD(hrtimers);
static unsigned long long last_seq;

void shim_works_reset(void)
{
	SHIM_CHECK(list_empty(&pending) && list_empty(&timers));
	SHIM_CHECK(list_empty(&hrtimers));
	SHIM_CHECK(!shim_nr_queues);
	last_seq = 0;
	jiffies = INITIAL_JIFFIES;
}

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int max_active)
{
	struct workqueue_struct *wq;

	(void)name;
	(void)flags;
	(void)max_active;
	wq = kzalloc(sizeof(*wq), GFP_KERNEL);
	shim_nr_queues += !!wq;
	return wq;
}

static bool work_left(const struct workqueue_struct *wq, unsigned long long seq)
{
	struct work_struct *work;

	list_for_each_entry(work, &pending, entry)
		if (work->wq == wq && work->seq <= seq)
			return true;
	return shim_queue_runs(wq, seq);
}

void flush_workqueue(struct workqueue_struct *wq)
{
	unsigned long long seq = last_seq;

	shim_wait_until(!work_left(wq, seq));
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	struct delayed_work *dw;

	shim_wait_until(!work_left(wq, ~0ULL));
	list_for_each_entry(dw, &timers, timer)
		SHIM_CHECK(dw->work.wq != wq);
	kfree(wq);
	shim_nr_queues--;
}

static void work_enqueue(struct work_struct *work)
{
	work->seq = ++last_seq;
	list_add_tail(&work->entry, &pending);
}

bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	SHIM_CHECK(wq && work->func);
	shim_point();
	if (work->pending || work->canceling)
		return false;
	work->pending = true;
	work->wq = wq;
	work_enqueue(work);
	shim_point();
	return true;
}

static void delayed_arm(struct workqueue_struct *wq, struct delayed_work *dw,
			unsigned long delay)
{
	dw->work.pending = true;
	dw->work.wq = wq;
	if (!delay) {
		work_enqueue(&dw->work);
		return;
	}
	dw->expires = jiffies + delay;
	dw->armed = true;
	list_add_tail(&dw->timer, &timers);
}

static void delayed_disarm(struct delayed_work *dw)
{
	if (dw->armed)
		list_del(&dw->timer);
	else
		list_del(&dw->work.entry);
	dw->armed = false;
	dw->work.pending = false;
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *dw,
			unsigned long delay)
{
	SHIM_CHECK(wq && dw->work.func);
	shim_point();
	if (dw->work.pending || dw->work.canceling)
		return false;
	delayed_arm(wq, dw, delay);
	return true;
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *dw,
		      unsigned long delay)
{
	bool was = dw->work.pending;

	SHIM_CHECK(wq && dw->work.func);
	shim_point();
	if (dw->work.canceling)
		return false;
	was = dw->work.pending;
	if (was)
		delayed_disarm(dw);
	delayed_arm(wq, dw, delay);
	shim_point();
	return was;
}

bool cancel_work_sync(struct work_struct *work)
{
	bool was;

	shim_point();
	was = work->pending;
	if (was) {
		list_del(&work->entry);
		work->pending = false;
	}
	work->canceling = true;
	shim_wait_until(!shim_work_runs(work));
	work->canceling = false;
	return was;
}

bool cancel_delayed_work(struct delayed_work *dw)
{
	shim_point();
	if (!dw->work.pending)
		return false;
	delayed_disarm(dw);
	return true;
}

bool cancel_delayed_work_sync(struct delayed_work *dw)
{
	bool was = cancel_delayed_work(dw);

	dw->work.canceling = true;
	shim_wait_until(!shim_work_runs(&dw->work));
	dw->work.canceling = false;
	return was;
}

void shim_init_work(struct work_struct *work, work_func_t func)
{
	*work = (struct work_struct){ .func = func };
}

/* A work never runs twice at a time. */
static bool work_may_run(const struct work_struct *work)
{
	return !shim_work_runs(work);
}

unsigned int shim_nr_works(void)
{
	struct work_struct *work;
	unsigned int nr = 0;

	list_for_each_entry(work, &pending, entry)
		nr += work_may_run(work);
	return nr;
}

struct work_struct *shim_work_at(unsigned int pick)
{
	struct work_struct *work;

	list_for_each_entry(work, &pending, entry)
		if (work_may_run(work) && !pick--)
			return work;
	return NULL;
}

void shim_work_begin(struct work_struct *work)
{
	list_del(&work->entry);
	work->pending = false;
}

unsigned int shim_nr_timers(void)
{
	struct delayed_work *dw;
	unsigned int nr = 0;

	list_for_each_entry(dw, &timers, timer)
		nr++;
	return nr;
}

static struct delayed_work *timer_first(void)
{
	struct delayed_work *dw, *first = NULL;

	list_for_each_entry(dw, &timers, timer)
		if (!first || time_before(dw->expires, first->expires))
			first = dw;
	return first;
}

void hrtimer_start(struct hrtimer *timer, ktime_t time, enum hrtimer_mode mode)
{
	(void)time;
	(void)mode;
	SHIM_CHECK(timer->function);
	list_move_tail(&timer->entry, &hrtimers);
}

int hrtimer_try_to_cancel(struct hrtimer *timer)
{
	bool was = !list_empty(&timer->entry);

	list_del_init(&timer->entry);
	return was;
}

int hrtimer_cancel(struct hrtimer *timer)
{
	shim_might_sleep();
	return hrtimer_try_to_cancel(timer);
}

void shim_hrtimers_expire(void)
{
	struct hrtimer *timer, *next;

	list_for_each_entry_safe(timer, next, &hrtimers, entry) {
		list_del_init(&timer->entry);
		timer->function(timer);
	}
}

void shim_time_passes(unsigned long ticks)
{
	unsigned long until = jiffies + ticks;
	struct delayed_work *dw;

	shim_hrtimers_expire();
	while ((dw = timer_first()) && !time_after(dw->expires, until)) {
		if (time_after(dw->expires, jiffies))
			jiffies = dw->expires;
		list_del(&dw->timer);
		dw->armed = false;
		work_enqueue(&dw->work);
	}
	jiffies = until;
}

void msleep(unsigned int ms)
{
	schedule_timeout_uninterruptible(msecs_to_jiffies(ms));
}

void schedule_timeout_uninterruptible(unsigned long ticks)
{
	unsigned long until = jiffies + ticks;

	shim_wait_until(!time_before(jiffies, until));
}
