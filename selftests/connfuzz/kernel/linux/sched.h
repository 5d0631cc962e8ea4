/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_SCHED_H
#define CONNFUZZ_LINUX_SCHED_H

#include "task.h"

#define cond_resched()	shim_might_sleep()

/* The process of a Unix socket's client, of which there is none here. */
#define SCHED_IDLE	5
struct task_struct {
	unsigned int policy;
};
#define current		(&(struct task_struct) { .policy = SCHED_IDLE })
#define task_nice(task)	((void)(task), 0)

void schedule_timeout_uninterruptible(unsigned long ticks);

#endif
