/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_KERNEL_H
#define CONNFUZZ_LINUX_KERNEL_H

#include_next <linux/kernel.h>
#include <stdio.h>
#include <linux/bug.h>
#include <linux/minmax.h>

/* None of those that are asked about. */
#define IS_ENABLED(option)	0
#define __read_mostly
#define __init
#define __exit
#define __net_init
#define __net_exit

#define BIT_ULL(n)		(1ULL << (n))
#define round_up(n, d)		((((n) - 1) | ((d) - 1)) + 1)
#define noinline_for_stack
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL	DIV_ROUND_UP
#define max3(a, b, c)		max(max(a, b), c)
#define swap(a, b)		\
do {				\
	__typeof__(a) swapped = (a);	\
	(a) = (b);		\
	(b) = swapped;		\
} while (0)

#define net_info_ratelimited(format, ...)	((void)0)

#endif
