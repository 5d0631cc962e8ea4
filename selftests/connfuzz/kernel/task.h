/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One thread plays all of the kernel's: what runs in process context is a task
 * with a stack of its own, which gives way where it blocks and where the
 * fuzzer says so. Nothing happens by itself, so each run can be repeated.
 *
 * What the fuzzer itself calls (socket callbacks, RCU callbacks) is softirq:
 * it may not sleep. Inside a spinlock or with bottom halves off nobody else
 * runs, so that a spinlock is never waited for.
 */
#ifndef CONNFUZZ_TASK_H
#define CONNFUZZ_TASK_H

#include <stdbool.h>
#include <stddef.h>

struct work_struct;

/* Something is wrong: say what, and end with a report. */
void shim_bug(const char *file, int line, const char *what)
	__attribute__((noreturn));

#define SHIM_CHECK(condition)						\
do {									\
	if (!(condition))						\
		shim_bug(__FILE__, __LINE__, #condition);		\
} while (0)

/* Here others may run, if the fuzzer wants it; and here time may pass. */
void shim_point(void);
/* The same, and it is an error to come here where one may not sleep. */
void shim_might_sleep(void);

void shim_atomic_begin(void);
void shim_atomic_end(void);
void shim_bh_begin(void);
void shim_bh_end(void);
/* As the kernel's in_interrupt(): a softirq, or bottom halves are off. */
bool shim_in_interrupt(void);
void shim_rcu_begin(void);
void shim_rcu_end(void);
bool shim_in_rcu(void);

/* Give way until it is worth another look. */
void shim_wait(void);

#define shim_wait_until(condition)					\
do {									\
	shim_might_sleep();						\
	while (!(condition))						\
		shim_wait();						\
} while (0)

/* Threads, which do not count as tasks: their task_struct is @arg. */
void shim_thread(void (*fn)(void *arg), void *arg);
void *shim_current_thread(void);
/* It need not be waited for until it looks itself. Return: it has been. */
bool shim_thread_unblock(const void *arg);

/* For the fuzzer, outside of all tasks. */

/* Have @fn run as a task of its own. */
void shim_task(void (*fn)(void *arg), void *arg);
/*
 * Let the @pick'th of what can run go on until it ends, blocks or is made to
 * give way. Return: false: nothing can.
 */
bool shim_run(unsigned int pick);
/* All that can run, the longest waiting first, until nothing can. */
void shim_run_all(void);
/* Tasks that have not ended; all of them blocked after shim_run_all(). */
unsigned int shim_nr_tasks(void);
/* Is a task at @work, and has it been queued not later than @seq? */
bool shim_work_runs(const struct work_struct *work);
bool shim_queue_runs(const void *wq, unsigned long long seq);
/* Who reads under RCU now, all tasks together. */
unsigned int shim_rcu_readers(void);

/* The task that gets to so many points gives way; 0: none. */
extern unsigned int shim_preempt_in;
/* jiffies passes by one at every so many points; 0: not by itself. */
extern unsigned int shim_tick_every;
/* Points so far. */
extern unsigned long shim_points;

#endif
