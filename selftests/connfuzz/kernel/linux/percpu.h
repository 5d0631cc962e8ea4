/* SPDX-License-Identifier: GPL-2.0 */
/* One processor: what others would do, other tasks do. */
#ifndef CONNFUZZ_LINUX_PERCPU_H
#define CONNFUZZ_LINUX_PERCPU_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/slab.h>

#define __percpu
/* In a section of their own, which is zero again when a module is loaded. */
#define DEFINE_PER_CPU(type, name)	\
	__attribute__((section("shim_percpu"))) __typeof__(type) name

#define raw_smp_processor_id()		0
#define smp_processor_id()		0
#define per_cpu(name, cpu)		(*((void)(cpu), &(name)))
#define per_cpu_ptr(ptr, cpu)		((void)(cpu), (ptr))
#define this_cpu_ptr(ptr)		(ptr)
#define raw_cpu_ptr(ptr)		(ptr)
#define this_cpu_xchg(name, value)	xchg(&(name), value)
#define this_cpu_add(name, value)	((void)((name) += (value)))

#define alloc_percpu(type)		((type *)kzalloc(sizeof(type), GFP_KERNEL))
#define free_percpu(ptr)		kfree(ptr)

#endif
