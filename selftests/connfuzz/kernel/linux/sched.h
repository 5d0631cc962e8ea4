/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_SCHED_H
#define CONNFUZZ_LINUX_SCHED_H

#include "task.h"

#define cond_resched()	shim_might_sleep()

#define SCHED_BATCH	3
#define TASK_RUNNING	0
#define TASK_IDLE	1026

struct sched_attr;
struct task_struct;

#define current			((struct task_struct *)NULL)

/* There is always another that wants the CPU. */
#define is_idle_task(task)	((void)(task), false)

int sched_setattr_nocheck(struct task_struct *task,
			  const struct sched_attr *attr);
int wake_up_process(struct task_struct *task);
void set_current_state(unsigned int state);
#define __set_current_state(state)	((void)(state))
void schedule(void);
void schedule_timeout_uninterruptible(unsigned long ticks);

#endif
