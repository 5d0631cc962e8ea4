/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UNIT_BYTES_H
#define UNIT_BYTES_H

#include "packet.h"

/**
 * bytes() - packets as a table can hold them
 * @text: hexadecimal bytes; 'abc' stands for its characters, S'abc' for a
 *	string with its length, [ ... ] for what is inside with its length as a
 *	variable byte integer; blanks do not matter
 *
 * Return: a block of just that many bytes, so that the address sanitizer sees
 * the first one read too many; bytes_free() it.
 */
struct mqtt_str bytes(const char *text);
struct mqtt_str bytes_copy(const u8 *data, u32 len);
void bytes_free(struct mqtt_str *block);

/* a C string's characters, not to be freed */
struct mqtt_str str(const char *text);
bool str_is(const struct mqtt_str *s, const char *text);

/* does @part lie in @whole (or is empty) */
bool within(const struct mqtt_str *part, const struct mqtt_str *whole);

#endif
