/* SPDX-License-Identifier: GPL-2.0 */
/* Of many bits; atomic.h has those in one word. */
#ifndef CONNFUZZ_LINUX_BITMAP_H
#define CONNFUZZ_LINUX_BITMAP_H

#include <string.h>
#include <linux/atomic.h>

#define SHIM_BITS		(8 * sizeof(unsigned long))
#define BITS_TO_LONGS(nr)	(((nr) + SHIM_BITS - 1) / SHIM_BITS)
#define DECLARE_BITMAP(name, nr)	unsigned long name[BITS_TO_LONGS(nr)]

static inline void bitmap_zero(unsigned long *bits, unsigned int nr)
{
	memset(bits, 0, BITS_TO_LONGS(nr) * sizeof(*bits));
}

static inline void __set_bit(unsigned int nr, unsigned long *bits)
{
	bits[nr / SHIM_BITS] |= 1UL << nr % SHIM_BITS;
}

#endif
