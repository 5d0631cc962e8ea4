// SPDX-License-Identifier: GPL-2.0
/* What a module finds when it is loaded, and the one network namespace. */
#include <linux/errno.h>
#include <net/net_namespace.h>
#include "shim.h"

struct net init_net;

extern char __start_shim_percpu[], __stop_shim_percpu[];

static struct net other_net, *the_net;

void shim_load(bool initial)
{
	the_net = initial ? &init_net : &other_net;
	the_net->going = false;
	the_net->ipv4.sysctl_tcp_rmem[2] = 6 << 20;
	memset(__start_shim_percpu, 0,
	       __stop_shim_percpu - __start_shim_percpu);
}

struct net *shim_net(void)
{
	return the_net;
}

int register_pernet_subsys(struct pernet_operations *ops)
{
	int ret;

	the_net->generic = kzalloc(ops->size, GFP_KERNEL);
	if (!the_net->generic)
		return -ENOMEM;
	ret = ops->init(the_net);
	if (ret)
		kfree(the_net->generic);
	return ret;
}

void unregister_pernet_subsys(struct pernet_operations *ops)
{
	the_net->going = true;
	ops->exit(the_net);
	kfree(the_net->generic);
}
