/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_OVERFLOW_H
#define CONNFUZZ_LINUX_OVERFLOW_H

#define struct_size(ptr, member, n)	\
	(sizeof(*(ptr)) + sizeof((ptr)->member[0]) * (size_t)(n))

#endif
