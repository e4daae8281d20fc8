/* SPDX-License-Identifier: MIT */
#include "workers/ctl/peek.h"

#include <stdlib.h>

#include "common/base/conf.h"
#include "common/base/err.h"
#include "common/base/json.h"
#include "common/broker/message.h"
#include "common/broker/publisher.h"
#include "workers/ctl/ctl.h"

enum { ASK_MS = 5000 };

static void note(const char *props, size_t props_len, const char *body, size_t len, cJSON *ids)
{
	struct message m;

	message_init(&m);
	if (message_decode(&m, props, props_len, body, len, NULL) == 0 && m.id)
		json_set_bool(ids, m.id, true);
	message_release(&m);
}

int peek_ids(struct ctl *c, const char *queue, cJSON *ids, struct err *e)
{
	struct publisher *p = NULL;
	int r = publisher_open(&p, c->conf->fleet.broker_url, "jobfleet audit", 0, CTL_CONNECT_MS,
			       e);
	int n = 0;

	while (r >= 0 && n <= PEEK_MAX) {
		char *props = NULL, *body = NULL;
		size_t props_len = 0, len = 0;
		uint64_t tag;

		r = publisher_get(p, queue, &tag, &props, &props_len, &body, &len, ASK_MS, e);
		if (r <= 0)
			break;
		note(props, props_len, body, len, ids);
		free(props);
		free(body);
		n++;
	}
	publisher_close(p);
	if (r >= 0 && n > PEEK_MAX)
		return err_set(e, ERR_TOO_BIG, "queue %.200s holds more than %d messages", queue,
			       PEEK_MAX);
	return r < 0 ? r : n;
}
