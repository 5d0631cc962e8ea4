/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_JIFFIES_H
#define CONNFUZZ_LINUX_JIFFIES_H

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/types.h>

#define HZ			250
/* as in the kernel: what does not stand a wrap of 32 bits is found out */
#define INITIAL_JIFFIES		((unsigned long)(unsigned int)(-300 * HZ))
#define MAX_JIFFY_OFFSET	((~0UL >> 1) - 1)

extern unsigned long jiffies;

#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)
#define time_after_eq64(a, b)	((s64)((a) - (b)) >= 0)

#define msecs_to_jiffies(ms)	(((ms) * HZ + 999) / 1000)

static inline u64 jiffies_to_nsecs(unsigned long ticks)
{
	return ticks * (1000000000UL / HZ);
}

static inline u64 get_jiffies_64(void)
{
	return jiffies;
}

#endif
