/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_MM_H
#define CONNFUZZ_LINUX_MM_H

#include <linux/slab.h>
#include <linux/workqueue.h>

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
/* a gateway with a gigabyte */
#define totalram_pages()	(1UL << (30 - PAGE_SHIFT))

struct page {
	struct page *next;
	u8 *memory;
	size_t size;
	int refs;
};

struct page_frag {
	struct page *page;
	u32 offset;
	u32 size;
};

#define SKB_FRAG_PAGE_ORDER	get_order(32768)

static inline unsigned int get_order(size_t size)
{
	unsigned int order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

struct page *alloc_pages(gfp_t gfp, unsigned int order);
void put_page(struct page *page);
#define get_page(page)		((void)(page)->refs++)
struct page *virt_to_head_page(const void *ptr);
#define page_address(page)	((void *)(page)->memory)
#define page_size(page)		((page)->size)
bool skb_page_frag_refill(unsigned int size, struct page_frag *frag, gfp_t gfp);

#endif
