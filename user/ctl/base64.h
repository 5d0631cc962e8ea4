/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KMQTT_CTL_BASE64_H
#define KMQTT_CTL_BASE64_H

#include <stddef.h>

/**
 * base64_encode() - bytes as text (RFC 4648, section 4, padded)
 * @data: bytes
 * @len: how many
 *
 * Return: memory to be freed by the caller; the program ends without it.
 */
char *base64_encode(const void *data, size_t len);

#endif /* KMQTT_CTL_BASE64_H */
