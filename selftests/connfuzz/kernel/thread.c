// SPDX-License-Identifier: GPL-2.0
/* Threads of the module, and the processor that they belong to. */
#include <linux/cpuhotplug.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <uapi/linux/sched/types.h>
#include "shim.h"

struct task_struct {
	int (*fn)(void *arg);
	void *arg;
	bool started;
	bool woken;
	bool stop;
	bool done;
};

unsigned int shim_nr_threads;
static int (*cpu_startup)(unsigned int cpu);
static int (*cpu_teardown)(unsigned int cpu);
static bool cpu_online;
static bool cpu_changes;

struct task_struct *kthread_create_on_cpu(int (*fn)(void *arg), void *arg,
					  unsigned int cpu, const char *name)
{
	struct task_struct *task;

	(void)cpu;
	(void)name;
	shim_might_sleep();
	task = kzalloc(sizeof(*task), GFP_KERNEL);
	if (!task)
		return ERR_PTR(-ENOMEM);
	task->fn = fn;
	task->arg = arg;
	shim_nr_threads++;
	return task;
}

int sched_setattr_nocheck(struct task_struct *task,
			  const struct sched_attr *attr)
{
	SHIM_CHECK(!task->started && attr->size == sizeof(*attr));
	return 0;
}

static void thread_main(void *arg)
{
	struct task_struct *task = arg;

	task->fn(task->arg);
	SHIM_CHECK(task->stop);
	task->done = true;
}

int wake_up_process(struct task_struct *task)
{
	shim_point();
	task->woken = true;
	if (!task->started) {
		task->started = true;
		shim_thread(thread_main, task);
		return 1;
	}
	return shim_thread_unblock(task);
}

void set_current_state(unsigned int state)
{
	struct task_struct *task = shim_current_thread();

	SHIM_CHECK(state == TASK_IDLE);
	task->woken = false;
	shim_point();
}

void schedule(void)
{
	struct task_struct *task = shim_current_thread();

	shim_wait_until(task->woken);
}

bool kthread_should_stop(void)
{
	struct task_struct *task = shim_current_thread();

	shim_point();
	return task->stop;
}

int kthread_stop(struct task_struct *task)
{
	task->stop = true;
	if (task->started) {
		wake_up_process(task);
		shim_wait_until(task->done);
	}
	kfree(task);
	shim_nr_threads--;
	return 0;
}

int cpuhp_setup_state(enum cpuhp_state state, const char *name,
		      int (*startup)(unsigned int cpu),
		      int (*teardown)(unsigned int cpu))
{
	int ret;

	(void)name;
	ret = startup(0);
	if (ret)
		return ret;
	cpu_startup = startup;
	cpu_teardown = teardown;
	cpu_online = true;
	return state + 1;
}

void cpuhp_remove_state(enum cpuhp_state state)
{
	SHIM_CHECK(state == CPUHP_AP_ONLINE_DYN + 1);
	shim_wait_until(!cpu_changes);
	if (cpu_online)
		cpu_teardown(0);
	cpu_online = false;
	cpu_startup = NULL;
}

void shim_replug(void)
{
	shim_wait_until(!cpu_changes);
	cpu_changes = true;
	if (cpu_online) {
		cpu_online = false;
		cpu_teardown(0);
	} else if (cpu_startup) {
		cpu_online = !cpu_startup(0);
	}
	cpu_changes = false;
}
