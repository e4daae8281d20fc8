/* SPDX-License-Identifier: MIT */
/* The decoder of remote control messages: four bytes length of the props (network byte order), the
 * props, the body. Then whom it is for is asked for some nodes. */
#include <string.h>

#include "common/base/err.h"
#include "common/worker/control_decode.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct control_call *call)
{
	static const char *const NODES[] = { "one@test", "w1@wire", "", "aaaaaaaaaaaaaaaaaaaa" };

	fuzz_want(call->method, "a call has a method");
	fuzz_want(!call->arguments || cJSON_IsObject(call->arguments), "arguments are an object");
	fuzz_want(!call->destination || cJSON_IsArray(call->destination), "nodes are a list");
	for (size_t i = 0; i < sizeof NODES / sizeof *NODES; i++) {
		struct err e = { 0 };
		int r = control_is_for(call, NODES[i], &e);

		fuzz_want(r >= 0 || e.msg[0], "a pattern that is refused has a reason");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_call call;
	struct err e = { 0 };
	size_t props;

	if (size < 4)
		return 0;
	props = (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];
	if (props > size - 4)
		props = size - 4;
	if (control_decode(&call, data + 4 + props, size - 4 - props, data + 4, props, &e) < 0) {
		fuzz_want(e.msg[0], "what is refused has a reason");
		return 0;
	}
	check(&call);
	control_call_release(&call);
	return 0;
}
