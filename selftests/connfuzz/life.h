/* SPDX-License-Identifier: GPL-2.0 */
/* The module's life: loaded, listening, and gone without a trace. */
#ifndef CONNFUZZ_LIFE_H
#define CONNFUZZ_LIFE_H

#include <linux/types.h>

/* Longest of a connection's deadlines: CONNECT, or the peer's last bytes. */
#define DEADLINE	15

/*
 * @fail: the allocation that fails meanwhile, 0: none. Return: as the module's
 * init; if it is an error, nothing of it is left.
 */
int life_begin(bool initial, u8 fail);
/* At PORT_OPEN and PORT_AUTHORITY, where the authority is there. */
void life_listen(void);
void life_end(void);

#endif
