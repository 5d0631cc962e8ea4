/* SPDX-License-Identifier: GPL-2.0 */
/* Tasklets: they run when what has scheduled them is done with the softirq. */
#ifndef CONNFUZZ_LINUX_INTERRUPT_H
#define CONNFUZZ_LINUX_INTERRUPT_H

#include <stdbool.h>

struct tasklet_struct {
	struct tasklet_struct *next;
	void (*callback)(struct tasklet_struct *tasklet);
	bool scheduled;
};

static inline void tasklet_setup(struct tasklet_struct *tasklet,
				 void (*callback)(struct tasklet_struct *))
{
	tasklet->callback = callback;
	tasklet->scheduled = false;
}

void tasklet_schedule(struct tasklet_struct *tasklet);
void tasklet_kill(struct tasklet_struct *tasklet);

#endif
