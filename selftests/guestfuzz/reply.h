/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel answers, and whether it may. */
#ifndef GUESTFUZZ_REPLY_H
#define GUESTFUZZ_REPLY_H

#include "genl.h"

/*
 * Send @msg, whatever is in it, and read all answers. Return: what is wrong
 * with them, or NULL.
 */
const char *reply_wrong(struct genl *nl, const struct genl_msg *msg);

#endif
