/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's basic types, for kmod/core in user space. */
#ifndef SHIM_LINUX_TYPES_H
#define SHIM_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include_next <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
typedef unsigned int __bitwise gfp_t;

#ifndef fallthrough
#define fallthrough __attribute__((__fallthrough__))
#endif
#ifndef __rcu
#define __rcu
#endif
#ifndef __must_hold
#define __must_hold(lock)
#endif
#ifndef __must_check
#define __must_check __attribute__((__warn_unused_result__))
#endif

#endif
