/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_WORKQUEUE_H
#define CONNFUZZ_LINUX_WORKQUEUE_H

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "task.h"

#define WQ_UNBOUND	1
#define WQ_MEM_RECLAIM	2

struct work_struct;
struct workqueue_struct;

typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	struct list_head entry;
	work_func_t func;
	bool pending;
	bool canceling;
	struct workqueue_struct *wq;
	unsigned long long seq;
};

#define work_pending(work)	((work)->pending)
#define delayed_work_pending(dw)	work_pending(&(dw)->work)

struct delayed_work {
	struct work_struct work;
	bool armed;
	unsigned long expires;
	struct list_head timer;
};

void shim_init_work(struct work_struct *work, work_func_t func);

#define INIT_WORK(work, func)		shim_init_work(work, func)
#define DECLARE_WORK(name, fn)		struct work_struct name = { .func = fn }
#define INIT_DELAYED_WORK(dw, func)	\
do {					\
	shim_init_work(&(dw)->work, func);	\
	(dw)->armed = false;		\
} while (0)
#define to_delayed_work(w)		container_of(w, struct delayed_work, work)

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags,
					 int max_active);
void destroy_workqueue(struct workqueue_struct *wq);
void flush_workqueue(struct workqueue_struct *wq);
bool queue_work(struct workqueue_struct *wq, struct work_struct *work);
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *dw,
			unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *dw,
		      unsigned long delay);
bool cancel_work_sync(struct work_struct *work);
bool cancel_delayed_work(struct delayed_work *dw);
bool cancel_delayed_work_sync(struct delayed_work *dw);

#endif
