/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CONNFUZZ_LINUX_MODULE_H
#define CONNFUZZ_LINUX_MODULE_H

#include <linux/kernel.h>

/* The names under which module.c finds them. */
#define module_init(fn)		int shim_module_init(void) { return fn(); }
#define module_exit(fn)		void shim_module_exit(void) { fn(); }
int shim_module_init(void);
void shim_module_exit(void);

#define MODULE_DESCRIPTION(text)	struct shim_module_description
#define MODULE_LICENSE(text)		struct shim_module_license
#define MODULE_ALIAS_GENL_FAMILY(text)	struct shim_module_alias

#endif
