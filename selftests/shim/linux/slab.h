/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocation that counts, and fails where a test says so. The variables are
 * defined in shim/slab.c.
 */
#ifndef SHIM_LINUX_SLAB_H
#define SHIM_LINUX_SLAB_H

#include <stdlib.h>
#include <linux/types.h>

#define GFP_KERNEL	0U
#define GFP_ATOMIC	1U
#define __GFP_NOWARN	2U
#define __GFP_ACCOUNT	4U
#define GFP_KERNEL_ACCOUNT (GFP_KERNEL | __GFP_ACCOUNT)

extern long shim_live;		/* allocations not freed yet */
extern long shim_fail_in;	/* n: the n-th from now on fails; 0: none */

static inline bool shim_fails(void)
{
	return shim_fail_in && !--shim_fail_in;
}

static inline void *kzalloc(size_t size, gfp_t flags)
{
	void *p = shim_fails() ? NULL : calloc(1, size);

	(void)flags;
	if (p)
		__atomic_add_fetch(&shim_live, 1, __ATOMIC_RELAXED);
	return p;
}

static inline void *kmalloc(size_t size, gfp_t flags)
{
	return kzalloc(size, flags);
}

static inline void kfree(const void *p)
{
	if (p)
		__atomic_sub_fetch(&shim_live, 1, __ATOMIC_RELAXED);
	free((void *)p);
}

#define kvfree kfree
#define kvmalloc kmalloc
#define kvzalloc kzalloc

#endif
