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

int props_headers(const void *props, size_t len, cJSON **ret, struct err *e)
{
	amqp_basic_properties_t *p;
	cJSON *headers = NULL;
	void *decoded = NULL;
	char *copy = NULL;
	amqp_pool_t pool;
	int r = -1;

	init_amqp_pool(&pool, PAGE);
	if (len > 0 && len <= MESSAGE_MAX_PROPS) {
		copy = mem_dup(props, len);
		r = amqp_decode_properties(AMQP_BASIC_CLASS, &pool, (amqp_bytes_t){ len, copy },
					   &decoded);
		mem_check(r == AMQP_STATUS_NO_MEMORY ? NULL : copy);
	}
	p = decoded;
	if (r >= 0 && p && (p->_flags & AMQP_BASIC_HEADERS_FLAG)) {
		amqp_field_value_t table = { .kind = AMQP_FIELD_KIND_TABLE };

		table.value.table = p->headers;
		headers = message_value_to_json(&table, 0);
	}
	empty_amqp_pool(&pool);
	free(copy);
	if (r < 0 || !p)
		return err_set(e, ERR_PROTOCOL, "malformed AMQP properties");
	*ret = headers ? headers : mem_check(cJSON_CreateObject());
	return 0;
}
