/* SPDX-License-Identifier: MIT */
#include "common/broker/props.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/broker/message_private.h"

enum { PAGE = 1024, PROPS_BYTES = 65536, TRANSIENT = 1 };

int props_encode(struct buf *out, const cJSON *headers, struct err *e)
{
	amqp_basic_properties_t p = {
		._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG |
			  AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_PRIORITY_FLAG |
			  AMQP_BASIC_HEADERS_FLAG,
		.content_type = amqp_cstring_bytes("application/json"),
		.content_encoding = amqp_cstring_bytes("utf-8"),
		.delivery_mode = TRANSIENT,
	};
	amqp_field_value_t table = { .kind = AMQP_FIELD_KIND_TABLE };
	amqp_pool_t pool;
	char *room;
	int r = 0, n;

	init_amqp_pool(&pool, PAGE);
	if (headers)
		r = message_value_from_json(&pool, headers, &table, 0, e);
	p.headers = table.value.table;
	room = buf_reserve(out, PROPS_BYTES);
	n = r < 0 || !room ? -1 :
	    amqp_encode_properties(AMQP_BASIC_CLASS, &p, (amqp_bytes_t){ PROPS_BYTES, room });
	empty_amqp_pool(&pool);
	if (n < 0)
		return r < 0 ? r : err_set(e, ERR_TOO_BIG, "headers over %d bytes", PROPS_BYTES);
	buf_commit(out, (size_t)n);
	return 0;
}
