/* SPDX-License-Identifier: GPL-2.0 */
/* Memory: counted, filled with a pattern, and refused when the fuzzer says so. */
#ifndef CONNFUZZ_LINUX_SLAB_H
#define CONNFUZZ_LINUX_SLAB_H

#include <stdlib.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include "task.h"

#define __GFP_DIRECT_RECLAIM	1U
#define __GFP_NOWARN		2U
#define __GFP_ACCOUNT		4U
#define __GFP_COMP		0U
#define __GFP_NORETRY		0U
#define GFP_ATOMIC		8U
#define GFP_NOWAIT		8U
#define GFP_KERNEL		__GFP_DIRECT_RECLAIM
#define GFP_KERNEL_ACCOUNT	(GFP_KERNEL | __GFP_ACCOUNT)

extern long shim_live;		/* allocations not freed yet */
extern long shim_fail_in;	/* n: the n-th from now on fails; 0: none */
extern long shim_fail_run;	/* and so many after it */
extern unsigned long shim_allocations;	/* that could have failed */
extern unsigned long shim_failures;	/* and have */

bool shim_fails(void);

static inline bool gfpflags_allow_blocking(gfp_t gfp)
{
	return gfp & __GFP_DIRECT_RECLAIM;
}

void *kmalloc(size_t size, gfp_t gfp);
void *kzalloc(size_t size, gfp_t gfp);
void kfree(const void *ptr);
/* More than a page may have been had in single pages only. */
void *__vmalloc(size_t size, gfp_t gfp);
void *kvmalloc(size_t size, gfp_t gfp);
void *kvzalloc(size_t size, gfp_t gfp);
void kvfree(const void *ptr);
void vfree(const void *ptr);
bool is_vmalloc_addr(const void *ptr);
void kvfree_sensitive(const void *ptr, size_t len);
void *kmemdup(const void *from, size_t len, gfp_t gfp);
char *kmemdup_nul(const char *from, size_t len, gfp_t gfp);
char *kstrdup(const char *from, gfp_t gfp);

#define kcalloc(n, size, gfp)		kzalloc((size_t)(n) * (size), gfp)
#define kvcalloc(n, size, gfp)		kvzalloc((size_t)(n) * (size), gfp)
#define kmalloc_array(n, size, gfp)	kmalloc((size_t)(n) * (size), gfp)
#define kvmalloc_array(n, size, gfp)	kvmalloc((size_t)(n) * (size), gfp)
#define kmalloc_size_roundup(size)	(((size) + 63) & ~(size_t)63)
#define memzero_explicit(ptr, len)	memset(ptr, 0, len)

struct kmem_cache;

struct kmem_cache *shim_cache_create(size_t size);
void kmem_cache_destroy(struct kmem_cache *cache);
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp);
int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t nr,
			  void **p);
void kmem_cache_free(struct kmem_cache *cache, void *ptr);
void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **p);

#define KMEM_CACHE(type, flags)	shim_cache_create(sizeof(struct type))

#endif
