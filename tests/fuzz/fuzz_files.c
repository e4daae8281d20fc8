/* SPDX-License-Identifier: MIT */
/* What was kept and is read back: a byte chooses the form (a spooled enqueue, an answer as a file,
 * an entry of the salary cache), the rest are its bytes. */
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/spool_private.h"
#include "tests/fuzz/fuzz.h"
#include "workers/collection/rawfile.h"
#include "workers/salary/cacheentry.h"

enum { BODY_MOST = 8 << 20 };

static void read_spooled(const uint8_t *data, size_t size)
{
	struct spool_held h = { .data = mem_dup(data, size), .fd = -1 };

	if (spool_understand(&h, size)) {
		fuzz_want(h.x.id && *h.x.id && h.x.queue, "an entry has an id and a queue");
		fuzz_want((const char *)h.x.props >= h.data &&
			  (const char *)h.x.body + h.x.body_len <= h.data + size,
			  "an entry lies in its file");
	}
	cJSON_Delete(h.head);
	free(h.data);
}

static void read_raw(const uint8_t *data, size_t size)
{
	char path[] = "/dev/shm/fuzz_files.XXXXXX";	/* a link in /proc would not be followed */
	int fd = mkstemp(path);
	struct rawfile f;
	struct err e = { 0 };

	fuzz_want(write(fd, data, size) == (ssize_t)size, "a file holds its bytes");
	if (rawfile_read(path, BODY_MOST, &f, &e) < 0) {
		fuzz_want(e.msg[0], "what is refused has a reason");
	} else {
		fuzz_want(f.raw.body_len <= BODY_MOST, "a body is within its limit");
		rawfile_release(&f);
	}
	close(fd);
	unlink(path);
}

static void read_cached(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size ? size : 1), *text;	/* no byte behind its end */
	struct cacheentry_head head;
	size_t len = 0;

	memcpy(bytes, data, size);
	text = cacheentry_unpack(bytes, size, &head, &len);
	if (text)
		fuzz_want(len <= CACHEENTRY_MAX_BYTES && text[len] == '\0', "a text has its end");
	(void)cacheentry_read_head(bytes, size, &head);
	fuzz_want(cacheentry_plain_size(bytes, size, (int64_t)size) <= CACHEENTRY_MAX_BYTES,
		  "a size is within its limit");
	free(text);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const READERS[])(const uint8_t *, size_t) = { read_spooled, read_raw,
								    read_cached };

	if (size > 0)
		READERS[data[0] % COUNT(READERS)](data + 1, size - 1);
	return 0;
}
