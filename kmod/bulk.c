// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of large packets. A fan-out of a long message would copy it once for
 * each subscriber into memory that the kernel clears before; as references to
 * its pages it costs neither.
 *
 * Whoever does not acknowledge a message holds all of its page, and nobody but TCP
 * accounts for that. So pages are no larger than those that TCP itself takes to
 * copy into, and three eighths of one at least are what TCP knows of.
 */
#include "bulk.h"

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <net/sock.h>
#include "message.h"

/* A compound page's bytes. Below a page kmalloc() wastes less. */
#define KMQTT_BULK_MIN	(PAGE_SIZE + 1)
#define KMQTT_BULK_MAX	(PAGE_SIZE << SKB_FRAG_PAGE_ORDER)

static bool kmqtt_bulk_fits_page(size_t size)
{
	return size >= KMQTT_BULK_MIN && size <= KMQTT_BULK_MAX;
}

void *kmqtt_bulk_alloc(size_t size)
{
	struct page *page;

	if (!kmqtt_bulk_fits_page(size))
		return kvmalloc(size, GFP_KERNEL | __GFP_NOWARN);
	page = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_NOWARN |
			   __GFP_NORETRY, get_order(size));
	/* Not kvmalloc(): what it kmalloc()s would look like a page. */
	return page ? page_address(page) :
		      __vmalloc(size, GFP_KERNEL | __GFP_NOWARN);
}

bool kmqtt_bulk_is_page(const void *ptr, size_t size)
{
	return kmqtt_bulk_fits_page(size) && !is_vmalloc_addr(ptr);
}

bool kmqtt_bulk_is_worth(size_t size, size_t len)
{
	return len >= (PAGE_SIZE << get_order(size)) / 8 * 3;
}

void kmqtt_bulk_free(void *ptr, bool is_page)
{
	if (is_page)
		put_page(virt_to_head_page(ptr));
	else
		kmqtt_kvfree(ptr);
}
