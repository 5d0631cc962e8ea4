/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of large packets: pages, which TCP sends without copying them. */
#ifndef KMQTT_BULK_H
#define KMQTT_BULK_H

#include <linux/types.h>

/**
 * kmqtt_bulk_alloc() - memory for bytes that are long or may be
 * @size: bytes; not charged here
 *
 * If it is more than a page and not much, it is one compound page; if it is
 * less, or very much, or memory is in pieces, kvmalloc()ed.
 *
 * Context: may sleep. Return: the memory, for kmqtt_bulk_free(), or NULL.
 */
void *kmqtt_bulk_alloc(size_t size);

/**
 * kmqtt_bulk_is_page() - may others hold on to it by references to its pages?
 * @ptr: from kmqtt_bulk_alloc()
 * @size: as it was asked for
 */
bool kmqtt_bulk_is_page(const void *ptr, size_t size);

/**
 * kmqtt_bulk_is_worth() - may TCP be given a reference to the page?
 * @size: as its memory was asked for
 * @len: bytes that TCP accounts for
 *
 * Return: is it enough, of all that is held so?
 */
bool kmqtt_bulk_is_worth(size_t size, size_t len);

/**
 * kmqtt_bulk_free() - give it back
 * @ptr: from kmqtt_bulk_alloc(), or NULL
 * @is_page: of kmqtt_bulk_is_page()
 *
 * Pages that TCP still sends stay as they are until it has. Any context.
 */
void kmqtt_bulk_free(void *ptr, bool is_page);

#endif
