/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_SCHED_H
#define CONNFUZZ_LINUX_SCHED_H

#include "task.h"

#define cond_resched()	shim_might_sleep()

void schedule_timeout_uninterruptible(unsigned long ticks);

#endif
