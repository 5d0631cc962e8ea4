/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_PID_NAMESPACE_H
#define CONNFUZZ_LINUX_PID_NAMESPACE_H

#include <linux/cred.h>

#endif
