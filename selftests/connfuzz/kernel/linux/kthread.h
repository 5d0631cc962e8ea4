/* SPDX-License-Identifier: GPL-2.0 */
/* Threads: tasks that do not end by themselves. */
#ifndef CONNFUZZ_LINUX_KTHREAD_H
#define CONNFUZZ_LINUX_KTHREAD_H

#include <stdbool.h>
#include <linux/sched.h>

/* @name is a format for @cpu. Return: it, to be woken, or ERR_PTR(-ENOMEM). */
struct task_struct *kthread_create_on_cpu(int (*fn)(void *arg), void *arg,
					  unsigned int cpu, const char *name);
bool kthread_should_stop(void);
int kthread_stop(struct task_struct *task);

#endif
