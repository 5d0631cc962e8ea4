// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>

long shim_live;
long shim_fail_in;
