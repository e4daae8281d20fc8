#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# services: none
# timeout: 120
"""What `jobfleet` says to a command line that makes no sense: one line that names the fault, before
it asks any service, and the exit status for wrong usage. The same of a worker that cannot start."""

import os
import subprocess
import sys
import tempfile

DIR = tempfile.mkdtemp()
CONF = os.path.join(DIR, "queues.conf")
NOWHERE = "//nobody@127.0.0.1:1/"       # whoever asks a service after all is refused there
ENV = dict(os.environ, JOBFLEET_CONFIG=CONF, JOBFLEET_BROKER_URL="amqp:" + NOWHERE,
           JOBFLEET_DATABASE_URL="postgresql:" + NOWHERE + "none",
           JOBFLEET_REDIS_URL="redis://127.0.0.1:1/0")

with open(CONF, "w") as conf:
    conf.write("""
queue echo { program = "echo" }
queue away { program = "nobody" }
task echo.mark { queue = "echo" }
""")

MISSING = "something is missing; usage: jobfleet "
LETTERS = "which ones? give ids, or --fingerprint, --cause, --task, --queue or --since"
DURATION = "is not a duration such as 250ms, 5s, 10m, 2h or 7d"
ID = "4e8d5f06-1111-4111-8111-111111111111"
# command line (words between blanks; _ for an empty one), what follows "jobfleet: "
REFUSED = (
    ("", "no command; jobfleet --help lists them"),
    ("--what", "no option --what before the command; jobfleet --help shows the usage"),
    ("--config", "--config needs a value"),
    ("wroker", 'no command "wroker"; did you mean workers?'),
    ("zzz", 'no command "zzz"; jobfleet --help lists them'),
    ("help zzz", 'no command "zzz"; jobfleet --help lists them'),
    ("workers -z", "no option -z; usage: jobfleet workers [OPTION...]"),
    ("workers --zzz", "no option --zzz; usage: jobfleet workers [OPTION...]"),
    ("workers --jsn", "no option --jsn; did you mean --json?"),
    ("workers --json=1", "--json takes no value; usage: jobfleet workers [OPTION...]"),
    ("status x", '"x" is one too many; usage: jobfleet status [OPTION...]'),
    ("top x", '"x" is one too many; usage: jobfleet top [OPTION...]'),
    ("top --every=1ms", "--every: 200ms to 1h"),
    ("queues --sample=2h", "--sample: at most 60s"),
    ("progress a b", '"b" is one too many; usage: jobfleet progress TASK_ID [OPTION...]'),
    ("result", MISSING + "result ID [OPTION...]"),
    ("explain", MISSING + "explain TASK_ID [OPTION...]"),
    ("logs", MISSING + "logs TASK_ID [OPTION...]"),
    ("collect", MISSING + "collect QUERY [LOCATION] [OPTION...]"),
    ("salary a", MISSING + "salary OCCUPATION LOCATION [OPTION...]"),
    ("pipeline run", MISSING + "pipeline run QUERY [LOCATION] [OPTION...]"),
    ("completion fish", "no completion for fish; there is bash and zsh"),
    ("completion bash zsh", '"zsh" is one too many; usage: jobfleet completion bash|zsh'),
    ("config zzz", "no command config zzz; usage: jobfleet config check|policy|rights [FILE] "
                   "[--config=FILE]"),
    ("parse zzz", 'nothing parses "zzz"; salary, location, level, skills or posting'),
    ("search " + "a" * 4000, "the text is longer than 3999 bytes"),
    # alerts
    ("alerts zzz", 'alerts has no command "zzz"; jobfleet alerts --help lists them'),
    ("alerts silence worker_lost", MISSING + "alerts silence NAME[/SUBJECT] DURATION [OPTION...]"),
    ("alerts silence worker_lost 10y", '"10y" ' + DURATION),
    ("alerts silence worker_lost 400d", '"400d" is not a time up to a year, such as 2h; to switch '
                                        "a rule off for good: enabled = no in queues.conf"),
    # audit, drill, report
    ("audit --wait=2h", "--wait: give 1ms to 1h"),
    ("audit --wait=x", '--wait: "x" ' + DURATION),
    ("drill --run=a/b", "--run: 1 to 40 letters, digits, - and _"),
    ("drill --tasks=0", '--tasks: "0" is not a whole number from 1 to 10000000'),
    ("drill zzz", '"zzz" is not check'),
    ("drill check", "check needs --run"),
    ("drill --mixture=short", '--mixture: "short" is no KIND=SHARE, such as short=40'),
    ("drill --mixture=short=0", "--mixture: a mixture needs at least one kind with a share"),
    ("report --since=11y", '--since: "11y" is neither a duration such as 2h nor a time such as '
                           "2026-11-21T20:15:00+00:00"),
    ("report --since=4000d", "--since: at most ten years"),
    ("report --since=2026-02-01 --until=2026-01-01", "--since is not before --until"),
    # enqueue
    ("enqueue", MISSING + "enqueue TASK [ARG...] [OPTION...]"),
    ("enqueue echo.mark --deadline=1ms", "--deadline: give 100ms to 1h"),
    ("enqueue echo.mark --countdown=1s --eta=2026-01-01T00:00:00Z",
     "--countdown and --eta say the same thing: give one"),
    ("enqueue echo.mark --eta=zzz",
     '--eta: "zzz" is not an ISO 8601 time such as 2026-11-21T20:18:49+00:00'),
    ("enqueue echo.mark --countdown=zzz", '--countdown: "zzz" ' + DURATION),
    ("enqueue echo.mark --expires=zzz", '--expires: "zzz" is neither a duration such as 10m nor a '
                                        "time such as 2026-11-21T20:15:00+00:00"),
    ("enqueue echo.mark --expires=2020-01-01T00:00:00Z", "--expires is in the past"),
    ("enqueue echo.mark --stop-on-error", "--stop-on-error goes with --from"),
    ("enqueue echo.mark x --args=[]", '"x" is an argument of the task: leave out --args'),
    ("enqueue echo.mark x --from=/dev/null",
     '"x" is an argument of the task: leave out --from'),
    ("enqueue echo.mark --from=/dev/null --id=x",
     "--from does not go with --wait, --id, --args, --kwargs: each line has its own"),
    ("enqueue echo.mark --args={}", "--args must be a JSON array, such as '[1, \"two\"]'"),
    ("enqueue echo.mark --kwargs=[]", "--kwargs must be a JSON object, such as '{\"page\": 1}'"),
    ("enqueue echo.mark --priority=10", '--priority: "10" is not a whole number from 0 to 9'),
    ("enqueue echo.mark --header=x", '--header: "x" is no NAME=JSON'),
    ("enqueue a.b", "no queue is known for task a.b: name one with --queue, or add a task block to "
                    "queues.conf"),
    ("enqueue echo.mark --unique-mode=zzz --unique-key=k",
     'unique mode "zzz" is not reject, replace or throttle'),
    ("enqueue echo.mark --unique-mode=reject", "unique enqueue needs its --unique-key"),
    ("enqueue echo.mark --unique-mode=throttle --unique-key=k",
     "throttle needs the time it holds: --unique-for=10m"),
    ("enqueue echo.mark --unique-key=" + "k" * 600, "a unique key has 1 to 512 bytes"),
    # dead letters
    ("dlq", "usage: jobfleet dlq list | show ID | replay ID... | drop ID..."),
    ("dlq zzz",
     "no command dlq zzz; usage: jobfleet dlq list | show ID | replay ID... | drop ID..."),
    ("dlq replay", LETTERS),
    ("dlq drop", LETTERS),
    ("dlq replay 1 --queue=x", "give ids, or options that choose, not both"),
    ("dlq replay --fingerprint=", "an option that chooses letters is empty"),
    # orders
    ("purge", MISSING + "purge QUEUE [--yes] [OPTION...]"),
    ("purge _", "the queue's name is empty"),
    ("pause --reason=x", "a reason for what? give --queue, --task or --all"),
    ("resume",
     "resume what? usage: jobfleet resume --queue=NAME | --task=NAME | --all [OPTION...]"),
    ("revoke", "give task ids or --stamp; usage: jobfleet revoke TASK_ID... | --stamp=NAME=VALUE "
               "[OPTION...]"),
    ("revoke x --signal=SIGZZ", '--signal: "SIGZZ" is no signal, such as SIGTERM'),
    ("revoke --stamp=x", "--stamp must be NAME=VALUE"),
    ("revoke" + " --stamp=a=b" * 65, "--stamp is given more than 64 times"),
    ("reprocess", "which ones? give an id, or --failed, --pending or --outdated"),
    ("reprocess zzz", '"zzz" is not a collection\'s id'),
    ("reprocess %s --failed" % ID, "give an id, or options that choose, not both"),
    # questions to workers
    ("inspect zzz", 'no method "zzz": --help lists them, and --arguments sends any'),
    ("inspect actve", 'no method "actve"; did you mean active?'),
    ("inspect ping x", '"x" is one too many for ping'),
    ("inspect ping --timeout=0ms", "--timeout must be 1ms to 1h"),
    ("inspect ping --arguments=3",
     "--arguments must be a JSON object, such as '{\"n\": 2}'"),
    ("inspect query_task x --arguments={}", "give arguments as words or as --arguments, not both"),
    ("control rate_limit",
     "rate_limit needs task_name; its arguments are: task_name rate_limit"),
    ("control time_limit echo.mark x", 'soft: "x" is not a number from 0 to 1e+09'),
    ("control pool_grow x",
     'n: "x" is not a whole number from -2147483648 to 2147483647'),
    # scale
    ("scale echo", "how many: N or MIN,MAX children of each node, or --instances=N"),
    ("scale echo 5,2", "5,2: the first number is the smaller one"),
    ("scale echo x", 'children, as N or MIN,MAX: "x" is not a whole number from 1 to 10000'),
    # schedules
    ("schedule", "usage: jobfleet schedule COMMAND [NAME] [OPTION...]"),
    ("schedule zzz",
     "no command schedule zzz; usage: jobfleet schedule COMMAND [NAME] [OPTION...]"),
    ("schedule set x --unset=zzz", '--unset: a schedule has no key "zzz"'),
    ("schedule run", MISSING + "schedule run NAME [OPTION...]"),
)

WORKERS = (
    ("jobfleet-loading", "queues.conf has no queue block with program = \"loading\""),
    ("jobfleet-loading --queues=ecko", "--queues: there is no queue ecko in queues.conf"),
    ("jobfleet-loading --queues=away",
     "--queues: queue away is served by program nobody, not by loading"),
    ("jobfleet-loading --config=/nowhere", "/nowhere: No such file or directory"),
    ("jobfleet-loading --concurrency=0",
     '--concurrency: "0" is not a whole number from 1 to 1000'),
)


def call(program, line):
    words = ["" if word == "_" else word for word in line.split()]
    return subprocess.run([*program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env=ENV, timeout=60, stdin=subprocess.DEVNULL)


def main():
    failed = 0
    lines = [("jobfleet", ["jobfleet"], line, says) for line, says in REFUSED]
    lines += [(line.split()[0], [], line, says) for line, says in WORKERS]
    for name, program, line, says in lines:
        got = call(program, line)
        first = got.stderr.split("\n", 1)[0]
        good = (got.returncode, got.stdout, first) == (100, "", "%s: %s" % (name, says))
        good = good and (name != "jobfleet" or got.stderr == first + "\n")
        print("%s %.70s" % ("ok" if good else "not ok", " ".join(program + [line])))
        if not good:
            failed += 1
            print("expected status 100, %r\ngot      status %d, %r %r" % (
                says, got.returncode, got.stderr, got.stdout))
    os.unlink(CONF)
    os.rmdir(DIR)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
