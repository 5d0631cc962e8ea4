/* SPDX-License-Identifier: GPL-2.0 */
/* Timers of less than a tick: the next tick finds them over. */
#ifndef CONNFUZZ_LINUX_HRTIMER_H
#define CONNFUZZ_LINUX_HRTIMER_H

#include <linux/list.h>
#include <linux/types.h>

#define NSEC_PER_USEC	1000L
#define NSEC_PER_MSEC	1000000L

typedef s64 ktime_t;
typedef int clockid_t;

#define CLOCK_MONOTONIC	1

enum hrtimer_restart { HRTIMER_NORESTART };
enum hrtimer_mode { HRTIMER_MODE_REL_PINNED_HARD };

struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *timer);
	struct list_head entry;
};

static inline ktime_t ns_to_ktime(u64 ns)
{
	return ns;
}

static inline void hrtimer_init(struct hrtimer *timer, clockid_t clock,
				enum hrtimer_mode mode)
{
	(void)clock;
	(void)mode;
	INIT_LIST_HEAD(&timer->entry);
}

/* Of a coarse one much is left. */
static inline ktime_t hrtimer_get_remaining(const struct hrtimer *timer)
{
	(void)timer;
	return NSEC_PER_MSEC;
}

void hrtimer_start(struct hrtimer *timer, ktime_t time, enum hrtimer_mode mode);
int hrtimer_try_to_cancel(struct hrtimer *timer);
int hrtimer_cancel(struct hrtimer *timer);

#endif
