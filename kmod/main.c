// SPDX-License-Identifier: GPL-2.0
/* The ordered list of what the module consists of, and its mirror. */
#include <linux/module.h>
#include <net/genetlink.h>
#include "broker.h"
#include "conn.h"
#include "control.h"
#include "datapath.h"
#include "express.h"
#include "gather.h"
#include "out.h"
#include "spread.h"
#include "transport.h"

/* send and receive hold nothing until they are used: only spare buffers. */
static int __init kmqtt_init(void)
{
	int ret;

	ret = kmqtt_spread_init();
	if (ret)
		return ret;
	ret = kmqtt_gather_init();
	if (ret)
		goto err_spread;
	kmqtt_express_init();
	ret = kmqtt_out_init();
	if (ret)
		goto err_gather;
	ret = kmqtt_conn_init();
	if (ret)
		goto err_out;
	ret = kmqtt_broker_init();
	if (ret)
		goto err_conn;
	ret = kmqtt_netlink_init();
	if (ret)
		goto err_broker;
	return 0;

err_broker:
	kmqtt_broker_uninit();
	kmqtt_receive_uninit();
	kmqtt_send_uninit();
err_conn:
	kmqtt_conn_uninit();
err_out:
	kmqtt_out_uninit();
err_gather:
	kmqtt_gather_uninit();
err_spread:
	kmqtt_spread_uninit();
	return ret;
}

static void __exit kmqtt_exit(void)
{
	kmqtt_netlink_uninit();
	kmqtt_broker_uninit();
	kmqtt_transport_uninit();
	kmqtt_express_uninit();
	kmqtt_receive_uninit();
	kmqtt_send_uninit();
	kmqtt_conn_uninit();
	kmqtt_out_uninit();
	kmqtt_gather_uninit();
	kmqtt_spread_uninit();
}

module_init(kmqtt_init);
module_exit(kmqtt_exit);

MODULE_DESCRIPTION("MQTT broker data plane");
MODULE_LICENSE("GPL");
MODULE_ALIAS_GENL_FAMILY("kmqtt");
