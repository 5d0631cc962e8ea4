/* SPDX-License-Identifier: GPL-2.0 */
/* Nobody works beside us here: there is nothing to wait for. */
#ifndef SHIM_LINUX_DELAY_H
#define SHIM_LINUX_DELAY_H

static inline void msleep(unsigned int ms)
{
}

#endif
