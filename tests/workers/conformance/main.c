/* SPDX-License-Identifier: MIT */
/* conformance: the worker that the interop tests drive from Python, Node and C. It is shaped like
 * a program under workers/ and may be read as the example of one: a task is a function in a file
 * of its kind (tasks.h) and a row here. Its queue is declared without arguments, as clients do
 * that can send none. */
#include "common/worker/worker.h"
#include "tests/workers/conformance/tasks.h"

static const struct task TASKS[] = {
	/* values */
	{ "t.add", PARAMS("x", "y"), values_add },
	{ "t.multiply", PARAMS("x", "y"), values_multiply },
	{ "t.xsum", PARAMS("numbers:list"), values_sum },
	{ "t.identity", PARAMS("value?"), values_identity },
	{ "t.kw", PARAMS("x", "y?=7", "*"), values_repeat },
	{ "t.large", PARAMS("bytes:int"), values_large },
	{ "t.bytes", PARAMS(NULL), values_bytes },
	{ "t.message", PARAMS("*"), values_message },
	{ "t.sleep", PARAMS("seconds:number"), values_sleep, .track_started = true },
	{ "t.progress", PARAMS("n?=3", "work_ms?=250"), values_progress },
	{ "t.quiet", PARAMS("x", "y"), values_add, .ignore_result = true },
	{ "t.limited", PARAMS("note?"), marks_database },
	{ "t.loose", PARAMS("x", "y"), values_add, .no_ledger = true },
	/* faults */
	{ "t.fail", PARAMS("code?=\"INVALID\"", "text?=\"boom\"", "exc_type?"), faults_fail,
	  .max_retries = 2, .retry_backoff_ms = 50, .retry_backoff_max_ms = 100 },
	{ "t.retry_n", PARAMS("n", "countdown_ms?=100", "message?=false"), faults_retry, .max_retries = 50 },
	{ "t.exit", PARAMS("way?=\"exit\"", "status?=0"), faults_exit },
	{ "t.kill", PARAMS("signal?=9", "who?=\"child\""), faults_kill },
	{ "t.kill_once", PARAMS("signal?=9"), faults_kill, .no_redeliver = true },
	{ "t.memory", PARAMS("mib", "leak?=false"), faults_memory },
	{ "t.stubborn", PARAMS("seconds?=60"), faults_stubborn },
	/* canvas */
	{ "t.replace", PARAMS("shape?=\"task\"", "x?=1"), canvas_replace },
	{ "t.replace_by", PARAMS("signature"), canvas_replace_by },
	{ "t.build", PARAMS("shape?=\"task\"", "x?=1"), canvas_build },
	{ "t.ignore", PARAMS("note?=\"mark\"", "work_ms?=0"), canvas_ignore },
	{ "t.reject", PARAMS("text?=\"not mine\"", "requeue?=false", "note?", "work_ms?=0"),
	  canvas_reject },
	/* marks */
	{ "t.err", PARAMS("failed_id"), marks_errback },
	{ "t.err_new", PARAMS("request", "exc", "traceback"), marks_errback },
	{ "t.mark", PARAMS("note?=\"mark\"", "work_ms?=0"), marks_database },
	{ "t.mark_redis", PARAMS("note?=\"mark\"", "work_ms?=0"), marks_redis },
	{ "t.steps", PARAMS("n?=3", "work_ms?=0"), marks_steps },
	{ "t.spawn", PARAMS("n?=1", "note?=\"mark\"", "work_ms?=0"), marks_spawn },
};

int main(int argc, char **argv)
{
	return worker_main(argc, argv, "conformance", TASKS, COUNT(TASKS));
}
