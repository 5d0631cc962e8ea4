/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_DELAY_H
#define CONNFUZZ_LINUX_DELAY_H

void msleep(unsigned int ms);

#endif
