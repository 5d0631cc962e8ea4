// SPDX-License-Identifier: GPL-2.0
/* Memory, and what is made of it: caches, arrays by index, sums. */
#include <string.h>
#include <linux/err.h>
#include <linux/hash.h>
#include <linux/percpu_counter.h>
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "shim.h"

#define PAGE	4096
/* What is not set shows. */
#define POISON	0xa5

long shim_live;
long shim_fail_in;
long shim_fail_run;
unsigned long shim_allocations;
unsigned long shim_failures;

/* Blocks had in single pages: few, and big. */
struct vm_block {
	struct vm_block *next;
	void *ptr;
};

static struct vm_block *vm_blocks;
static u64 random_state;

void shim_memory_reset(void)
{
	SHIM_CHECK(!vm_blocks);
	shim_live = 0;
	shim_fail_in = 0;
	shim_fail_run = 0;
	shim_allocations = 0;
	shim_failures = 0;
	random_state = 0;
}

bool shim_fails(void)
{
	shim_allocations++;
	if (!shim_fail_in)
		return false;
	if (shim_fail_in > 1) {
		shim_fail_in--;
		return false;
	}
	if (shim_fail_run)
		shim_fail_run--;
	else
		shim_fail_in = 0;
	shim_failures++;
	return true;
}

void *kmalloc(size_t size, gfp_t gfp)
{
	void *ptr;

	if (gfpflags_allow_blocking(gfp))
		shim_might_sleep();
	if (shim_fails())
		return NULL;
	ptr = malloc(size);
	SHIM_CHECK(ptr);
	memset(ptr, POISON, size);
	shim_live++;
	return ptr;
}

void *kzalloc(size_t size, gfp_t gfp)
{
	void *ptr = kmalloc(size, gfp);

	return ptr ? memset(ptr, 0, size) : NULL;
}

void kfree(const void *ptr)
{
	if (!ptr)
		return;
	SHIM_CHECK(!is_vmalloc_addr(ptr));
	shim_live--;
	free((void *)ptr);
}

bool is_vmalloc_addr(const void *ptr)
{
	struct vm_block *block;

	for (block = vm_blocks; block; block = block->next)
		if (block->ptr == ptr)
			return true;
	return false;
}

void *__vmalloc(size_t size, gfp_t gfp)
{
	struct vm_block *block;
	void *ptr = kmalloc(size, gfp);

	if (!ptr)
		return NULL;
	block = malloc(sizeof(*block));
	SHIM_CHECK(block);
	block->ptr = ptr;
	block->next = vm_blocks;
	vm_blocks = block;
	return ptr;
}

void *kvmalloc(size_t size, gfp_t gfp)
{
	if (size <= PAGE || !gfpflags_allow_blocking(gfp))
		return kmalloc(size, gfp);
	return __vmalloc(size, gfp);
}

void *kvzalloc(size_t size, gfp_t gfp)
{
	void *ptr = kvmalloc(size, gfp);

	return ptr ? memset(ptr, 0, size) : NULL;
}

void vfree(const void *ptr)
{
	struct vm_block **at, *block;

	/* In an interrupt it is put off, under a spinlock it is not. */
	if (!shim_in_interrupt())
		shim_might_sleep();
	for (at = &vm_blocks; *at; at = &(*at)->next) {
		if ((*at)->ptr != ptr)
			continue;
		block = *at;
		*at = block->next;
		free(block);
		break;
	}
	kfree(ptr);
}

void kvfree(const void *ptr)
{
	if (is_vmalloc_addr(ptr))
		vfree(ptr);
	else
		kfree(ptr);
}

void kvfree_sensitive(const void *ptr, size_t len)
{
	if (ptr)
		memset((void *)ptr, 0, len);
	kvfree(ptr);
}

void *kmemdup(const void *from, size_t len, gfp_t gfp)
{
	void *ptr = kmalloc(len, gfp);

	return ptr ? memcpy(ptr, from, len) : NULL;
}

char *kmemdup_nul(const char *from, size_t len, gfp_t gfp)
{
	char *ptr = kmalloc(len + 1, gfp);

	if (!ptr)
		return NULL;
	memcpy(ptr, from, len);
	ptr[len] = '\0';
	return ptr;
}

char *kstrdup(const char *from, gfp_t gfp)
{
	return kmemdup_nul(from, strlen(from), gfp);
}

struct kmem_cache {
	size_t size;
	long live;
};

struct kmem_cache *shim_cache_create(size_t size)
{
	struct kmem_cache *cache = kzalloc(sizeof(*cache), GFP_KERNEL);

	if (cache)
		cache->size = size;
	return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	SHIM_CHECK(!cache->live);
	kfree(cache);
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *ptr = kmalloc(cache->size, gfp);

	cache->live += !!ptr;
	return ptr;
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
	void *ptr = kzalloc(cache->size, gfp);

	cache->live += !!ptr;
	return ptr;
}

/* All of them or none. */
int kmem_cache_alloc_bulk(struct kmem_cache *cache, gfp_t gfp, size_t nr,
			  void **p)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		p[i] = kmem_cache_alloc(cache, gfp);
		if (p[i])
			continue;
		kmem_cache_free_bulk(cache, i, p);
		return 0;
	}
	return nr;
}

void kmem_cache_free(struct kmem_cache *cache, void *ptr)
{
	SHIM_CHECK(ptr && cache->live > 0);
	cache->live--;
	kfree(ptr);
}

void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **p)
{
	while (nr--)
		kmem_cache_free(cache, p[nr]);
}

int percpu_counter_init(struct percpu_counter *counter, s64 amount, gfp_t gfp)
{
	(void)gfp;
	if (shim_fails())
		return -ENOMEM;
	counter->count = amount;
	return 0;
}

void percpu_counter_add_batch(struct percpu_counter *counter, s64 amount,
			      int batch)
{
	(void)batch;
	counter->count += amount;
	SHIM_CHECK(counter->count >= 0);
}

void percpu_counter_destroy(struct percpu_counter *counter)
{
	SHIM_CHECK(!counter->count);
}

/* An error pointer, as xa_store() gives it. */
int xa_err(const void *entry)
{
	return IS_ERR(entry) ? PTR_ERR(entry) : 0;
}

static struct xa_item *xa_find(struct xarray *xa, u32 index)
{
	u32 i;

	for (i = 0; i < xa->nr; i++)
		if (xa->items[i].index == index)
			return &xa->items[i];
	return NULL;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	struct xa_item *item = xa_find(xa, index);

	return item ? item->entry : NULL;
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	struct xa_item *items;

	if (gfpflags_allow_blocking(gfp))
		shim_might_sleep();
	SHIM_CHECK(!xa_find(xa, index));
	if (shim_fails())
		return ERR_PTR(-ENOMEM);
	if (xa->nr == xa->size) {
		items = realloc(xa->items, (xa->size + 16) * sizeof(*items));
		SHIM_CHECK(items);
		shim_live += !xa->items;
		xa->items = items;
		xa->size += 16;
	}
	xa->items[xa->nr].index = index;
	xa->items[xa->nr++].entry = entry;
	return NULL;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	struct xa_item *item = xa_find(xa, index);
	void *entry;

	if (!item)
		return NULL;
	entry = item->entry;
	*item = xa->items[--xa->nr];
	if (!xa->nr)
		xa_destroy(xa);
	return entry;
}

int xa_alloc_cyclic(struct xarray *xa, u32 *id, void *entry,
		    struct xa_limit limit, u32 *next, gfp_t gfp)
{
	u32 at = max(*next, limit.lo), tries;

	for (tries = limit.hi - limit.lo + 1; tries; tries--, at++) {
		if (at > limit.hi)
			at = limit.lo;
		if (xa_find(xa, at))
			continue;
		if (xa_store(xa, at, entry, gfp))
			return -ENOMEM;
		*id = at;
		*next = at + 1;
		return 0;
	}
	return -EBUSY;
}

void xa_destroy(struct xarray *xa)
{
	shim_live -= !!xa->items;
	free(xa->items);
	xa_init(xa);
}

void *rhashtable_walk_next(struct rhashtable_iter *iter)
{
	struct rhashtable *table = iter->table;
	unsigned int skip = iter->passed++;
	struct rhash_head *head;
	size_t i;

	for (i = 0; i < table->nr_buckets; i++)
		for (head = table->buckets[i]; head; head = head->next)
			if (!skip--)
				return (char *)head - table->p.head_offset;
	return NULL;
}

static void rhashtable_left(void *ptr, void *arg)
{
	(void)ptr;
	(void)arg;
	shim_bug(__FILE__, __LINE__, "a hash table is not empty at its end");
}

void rhashtable_destroy(struct rhashtable *table)
{
	rhashtable_free_and_destroy(table, rhashtable_left, NULL);
}

u64 get_random_u64(void)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return random_state;
}

u32 shim_hash_ptr(const void *ptr, unsigned int bits)
{
	(void)ptr;
	return (1U << bits) - 1;
}
