// SPDX-License-Identifier: GPL-2.0
/*
 * Properties alone, so that the mutations all go there.
 *
 * Input: a byte for the packet type, then properties without their length.
 */
#include <stdlib.h>
#include <string.h>
#include "bytes.h"
#include "fuzz.h"
#include "wire.h"

static void check(bool condition)
{
	if (!condition)
		abort();
}

/* What is forwarded is forwarded whole, and is all that is left to forward. */
static void forward(const struct mqtt_props *props)
{
	u8 *once = malloc(props->raw.len + 1), *twice;
	struct mqtt_str kept;

	check(once);
	kept.data = once;
	kept.len = mqtt_props_forward(&props->raw, once);
	check(kept.len == mqtt_props_forward(&props->raw, NULL));
	check(kept.len <= props->raw.len);
	twice = malloc(kept.len + 1);
	check(twice && mqtt_props_forward(&kept, twice) == kept.len);
	check(!memcmp(once, twice, kept.len));
	free(once);
	free(twice);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct mqtt_props props, again;
	struct mqtt_str block, in;
	u8 *buf, *p, type, rc;

	if (size < 1 || size > 100000)
		return 0;
	type = data[0] & 0x0f;
	buf = malloc(size + MQTT_FIXED_MAX);
	p = mqtt_put_varint(buf, size - 1);
	memcpy(p, data + 1, size - 1);
	block = bytes_copy(buf, p - buf + size - 1);
	free(buf);

	in = block;
	rc = mqtt_props_decode(&in, type, &props);
	check(!rc || rc == MQTT_RC_MALFORMED_PACKET ||
	      rc == MQTT_RC_PROTOCOL_ERROR ||
	      rc == MQTT_RC_TOPIC_ALIAS_INVALID);
	/* the bytes alone decide */
	in = block;
	memset(&again, 0x5a, sizeof(again));
	check(mqtt_props_decode(&in, type, &again) == rc);
	if (!rc) {
		fuzz_taken();
		check(!in.len && props.raw.len == size - 1);
		check(props.present == again.present);
		check(props.nr_user == again.nr_user);
		check(props.nr_user <= props.raw.len / 5);
		forward(&props);
	}
	bytes_free(&block);
	return 0;
}
