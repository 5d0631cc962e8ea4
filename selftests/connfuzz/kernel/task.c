// SPDX-License-Identifier: GPL-2.0
/* Tasks: who runs, who waits, who gives way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <sanitizer/common_interface_defs.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/workqueue.h>
#include "shim.h"

#define NR_TASKS	17
#define STACK_SIZE	(128 * 1024)

struct task {
	ucontext_t context;
	char *stack;
	void *fake_stack;
	bool used;
	bool blocked;
	bool gave_way;
	bool thread;
	unsigned int atomic;
	unsigned int bh;	/* of these, with bottom halves off */
	unsigned int rcu;
	unsigned long long since;
	void (*fn)(void *arg);
	void *arg;
	struct work_struct *work;
	work_func_t func;
	const void *wq;
	unsigned long long seq;
};

static struct task tasks[NR_TASKS], *this_task;
static ucontext_t main_context;
static void *main_fake_stack;
static const void *main_stack;
static size_t main_stack_size;
static unsigned long long turns;

unsigned int shim_preempt_in;
unsigned int shim_tick_every;
unsigned long shim_points;

void shim_bug(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: BUG: %s\n", file, line, what);
	__sanitizer_print_stack_trace();
	abort();
}

void shim_tasks_reset(void)
{
	SHIM_CHECK(!this_task && !shim_nr_tasks());
	shim_preempt_in = 0;
	shim_tick_every = 0;
	turns = 0;
	shim_points = 0;
}

static void task_main(void)
{
	struct task *task = this_task;

	__sanitizer_finish_switch_fiber(NULL, &main_stack, &main_stack_size);
	if (task->work)
		task->func(task->work);
	else
		task->fn(task->arg);
	SHIM_CHECK(!task->atomic && !task->rcu);
	task->used = false;
	__sanitizer_start_switch_fiber(NULL, main_stack, main_stack_size);
	setcontext(&main_context);
}

/* From the fuzzer into @task, until it comes back. */
static void task_enter(struct task *task)
{
	task->since = ++turns;
	task->gave_way = false;
	this_task = task;
	__sanitizer_start_switch_fiber(&main_fake_stack, task->stack,
				       STACK_SIZE);
	swapcontext(&main_context, &task->context);
	__sanitizer_finish_switch_fiber(main_fake_stack, NULL, NULL);
	this_task = NULL;
}

static void task_leave(bool blocked)
{
	struct task *task = this_task;

	task->blocked = blocked;
	task->gave_way = !blocked;
	__sanitizer_start_switch_fiber(&task->fake_stack, main_stack,
				       main_stack_size);
	swapcontext(&task->context, &main_context);
	__sanitizer_finish_switch_fiber(task->fake_stack, NULL, NULL);
	task->blocked = false;
}

static struct task *task_unused(void)
{
	struct task *task;

	for (task = tasks; task < tasks + NR_TASKS; task++)
		if (!task->used)
			return task;
	return NULL;
}

static struct task *task_new(void)
{
	struct task *const task = task_unused();

	if (!task)
		return NULL;
	if (!task->stack)
		task->stack = malloc(STACK_SIZE);
	getcontext(&task->context);
	task->context.uc_stack.ss_sp = task->stack;
	task->context.uc_stack.ss_size = STACK_SIZE;
	task->context.uc_link = NULL;
	makecontext(&task->context, task_main, 0);
	task->fake_stack = NULL;
	task->used = true;
	task->blocked = false;
	task->gave_way = false;
	task->since = ++turns;
	task->thread = false;
	task->work = NULL;
	task->wq = NULL;
	return task;
}

void shim_task(void (*fn)(void *arg), void *arg)
{
	struct task *task = task_new();

	SHIM_CHECK(task);
	task->fn = fn;
	task->arg = arg;
}

void shim_thread(void (*fn)(void *arg), void *arg)
{
	struct task *task = task_new();

	SHIM_CHECK(task);
	task->fn = fn;
	task->arg = arg;
	task->thread = true;
}

void *shim_current_thread(void)
{
	SHIM_CHECK(this_task && this_task->thread);
	return this_task->arg;
}

bool shim_thread_unblock(const void *arg)
{
	struct task *task;

	for (task = tasks; task < tasks + NR_TASKS; task++) {
		if (task->used && task->thread && task->arg == arg &&
		    task->blocked) {
			task->blocked = false;
			return true;
		}
	}
	return false;
}

bool shim_task_room(void)
{
	return shim_nr_tasks() < NR_TASKS / 2;
}

unsigned int shim_nr_tasks(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < NR_TASKS; i++)
		nr += tasks[i].used && !tasks[i].thread;
	return nr;
}

unsigned int shim_rcu_readers(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < NR_TASKS; i++)
		nr += tasks[i].used ? tasks[i].rcu : 0;
	return nr;
}

bool shim_work_runs(const struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < NR_TASKS; i++)
		if (tasks[i].used && tasks[i].work == work &&
		    tasks[i].func == work->func)
			return true;
	return false;
}

bool shim_queue_runs(const void *wq, unsigned long long seq)
{
	unsigned int i;

	for (i = 0; i < NR_TASKS; i++)
		if (tasks[i].used && &tasks[i] != this_task &&
		    tasks[i].wq == wq && tasks[i].seq <= seq)
			return true;
	return false;
}

static struct task *task_for_work(struct work_struct *work)
{
	struct task *task = task_new();

	if (!task)
		return NULL;
	task->work = work;
	task->func = work->func;
	task->wq = work->wq;
	task->seq = work->seq;
	shim_work_begin(work);
	return task;
}

/* The task with @before others that have waited longer. */
static struct task *task_waiting(unsigned int before, bool blocked)
{
	struct task *task, *other;
	unsigned int older;

	for (task = tasks; task < tasks + NR_TASKS; task++) {
		if (!task->used || task->blocked != blocked)
			continue;
		older = 0;
		for (other = tasks; other < tasks + NR_TASKS; other++)
			older += other->used && other->blocked == blocked &&
				 other->since < task->since;
		if (older == before)
			return task;
	}
	return NULL;
}

/* Everybody who waits for something looks whether it has come. */
static void task_poll_blocked(void)
{
	unsigned int nr = NR_TASKS;
	struct task *task;

	while (nr--) {
		task = task_waiting(0, true);
		if (!task)
			return;
		task_enter(task);
		if (!task->used || !task->blocked)
			return;
	}
}

bool shim_run(unsigned int pick)
{
	unsigned int works = shim_nr_works(), ready = 0;
	struct task *task, *first;

	while (task_waiting(ready, false))
		ready++;
	if (!works && !ready) {
		task_poll_blocked();
		works = shim_nr_works();
		ready = !!task_waiting(0, false);
		if (!works && !ready)
			return false;
	}
	pick %= works + ready;
	/* Who gave way comes behind all others, or it would have been in vain. */
	first = task_waiting(0, false);
	if (first && first->gave_way)
		pick = (pick + ready) % (works + ready);
	task = pick < ready ? task_waiting(pick, false) :
			      task_for_work(shim_work_at(pick - ready));
	/* No stack is left: who has one goes on first. */
	if (!task)
		task = task_waiting(0, false) ?: task_waiting(0, true);
	task_enter(task);
	return true;
}

void shim_run_all(void)
{
	unsigned int budget = 100000;

	while (shim_run(0))
		if (!--budget)
			shim_bug(__FILE__, __LINE__, "work without an end");
}

void shim_point(void)
{
	shim_points++;
	if (shim_tick_every && shim_points % shim_tick_every == 0)
		jiffies++;
	if (!this_task || this_task->atomic)
		return;
	if (shim_preempt_in && !--shim_preempt_in)
		task_leave(false);
}

void shim_might_sleep(void)
{
	if (!this_task)
		shim_bug(__FILE__, __LINE__, "sleeping in a softirq");
	if (this_task->atomic)
		shim_bug(__FILE__, __LINE__, "sleeping in atomic context");
	if (this_task->rcu)
		shim_bug(__FILE__, __LINE__, "sleeping in an RCU section");
	shim_point();
}

void shim_wait(void)
{
	SHIM_CHECK(this_task && !this_task->atomic && !this_task->rcu);
	task_leave(true);
}

void shim_atomic_begin(void)
{
	shim_point();
	if (this_task)
		this_task->atomic++;
}

void shim_atomic_end(void)
{
	if (!this_task)
		return;
	SHIM_CHECK(this_task->atomic);
	this_task->atomic--;
	shim_point();
}

void shim_bh_begin(void)
{
	shim_atomic_begin();
	if (this_task)
		this_task->bh++;
}

void shim_bh_end(void)
{
	if (this_task)
		this_task->bh--;
	shim_atomic_end();
}

bool shim_in_interrupt(void)
{
	return !this_task || this_task->bh;
}

static struct tasklet_struct *tasklets;

void tasklet_schedule(struct tasklet_struct *tasklet)
{
	if (tasklet->scheduled)
		return;
	tasklet->scheduled = true;
	tasklet->next = tasklets;
	tasklets = tasklet;
}

void tasklet_kill(struct tasklet_struct *tasklet)
{
	shim_might_sleep();
	SHIM_CHECK(!tasklet->scheduled);
}

void shim_softirq(void)
{
	struct tasklet_struct *tasklet;

	SHIM_CHECK(!this_task);
	while ((tasklet = tasklets)) {
		tasklets = tasklet->next;
		tasklet->scheduled = false;
		tasklet->callback(tasklet);
	}
}

void shim_rcu_begin(void)
{
	if (this_task)
		this_task->rcu++;
	shim_point();
}

void shim_rcu_end(void)
{
	shim_point();
	if (!this_task)
		return;
	SHIM_CHECK(this_task->rcu);
	this_task->rcu--;
}

/* A softirq is one, too: no grace period ends in its midst. */
bool shim_in_rcu(void)
{
	return !this_task || this_task->rcu;
}
